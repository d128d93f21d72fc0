// The direct convolutions, of one instruction set; conv.cc chooses between them and Winograd's.
#pragma once

#include "chainrule/pool.h"
#include "chainrule/simd.h"
#include "kernels/conv_sizes.h"

namespace chainrule::CHAINRULE_ISA::direct {

bool forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y, const ConvSizes& s,
                    bool relu);
bool input_gradient(Pool& pool, const float* dy, const float* kernel, const float* bias, float* dx,
                           const ConvSizes& s);
bool kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& s);
bool relu_gradient(Pool& pool, const float* dy, const float* y, float* g, float* sums, int64_t rows, int64_t columns);

}  // namespace chainrule::CHAINRULE_ISA::direct
