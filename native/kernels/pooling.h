// Pooling of [n, h, w, c] arrays over windows of h and w, channels innermost.
#pragma once

#include <cstdint>

#include "chainrule/isa.h"
#include "chainrule/pool.h"

namespace chainrule {

struct PoolingSizes {
  int64_t n, h, w, c;
  int64_t oh, ow;
  int64_t window_h, window_w;
  int64_t stride_h, stride_w;
  int64_t pad_h, pad_w;  // cells before the first; what lies after the last follows from the sizes
};

struct PoolingKernels {
  // The largest value of each window; NaN where the window holds one. `index` (may be null) is told the number of the
  // winning cell, row by row: the first of equals, the first NaN. Windows hold at most 255 cells when it is given.
  void (*max_forward)(Pool&, const float* x, float* y, uint8_t* index, const PoolingSizes&) noexcept;
  // dx = sum of dy over the windows that the cell has won.
  void (*max_gradient)(Pool&, const float* dy, const uint8_t* index, float* dx, const PoolingSizes&) noexcept;
  // The mean over the cells of the window that lie inside, or over all of its cells.
  void (*mean_forward)(Pool&, const float* x, float* y, const PoolingSizes&, bool count_padding) noexcept;
  void (*mean_gradient)(Pool&, const float* dy, float* dx, const PoolingSizes&, bool count_padding) noexcept;
};

}  // namespace chainrule

CHAINRULE_TABLE(PoolingKernels, pooling_kernels)
