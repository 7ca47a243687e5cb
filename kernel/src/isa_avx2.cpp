#define ONECELL_ISA avx2
#define ONECELL_LANES "lanes_avx2.h"
#include "isa.h"

namespace onecell {

const Kernels kAvx2 = {"avx2", avx2::kernels_of<float>(), avx2::kernels_of<double>(),
                       avx2::frozen_unroll};

}  // namespace onecell
