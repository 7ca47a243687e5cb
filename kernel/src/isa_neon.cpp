#define ONECELL_ISA neon
#define ONECELL_LANES "lanes_neon.h"
#include "isa.h"

namespace onecell {

const Kernels kNeon = {"neon", neon::kernels_of<float>(), neon::kernels_of<double>(),
                       neon::frozen_unroll};

}  // namespace onecell
