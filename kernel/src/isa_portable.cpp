#define ONECELL_ISA portable
#define ONECELL_LANES "lanes_portable.h"
#include "isa.h"

namespace onecell {

const Kernels kPortable = {"portable", portable::kernels_of<float>(),
                           portable::kernels_of<double>(), portable::frozen_unroll};

}  // namespace onecell
