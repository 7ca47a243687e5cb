#define ONECELL_ISA avx512
#define ONECELL_LANES "lanes_avx512.h"
#include "isa.h"

namespace onecell {

const Kernels kAvx512 = {"avx512", avx512::kernels_of<float>(), avx512::kernels_of<double>(),
                         avx512::frozen_unroll};

}  // namespace onecell
