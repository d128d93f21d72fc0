// What the two forms of the gradient to the kernel share.
#pragma once

#include "chainrule/pool.h"
#include "kernels/conv_block.h"

namespace chainrule::CHAINRULE_ISA::direct {

// Chunks of positions, each with a sum of its own, and parts of the sum that are computed apart.
struct Tasks {
  int64_t chunks, parts;
};

// About 32 tasks of equal size, as a function of the sizes alone. A chunk has at least 1,024 positions, or writing and
// adding its sum would take more than 5 % of the time, and all sums together at most 16 MiB; where that leaves few
// chunks, parts of the sum are computed apart: of at least eight panels, as each part copies the cells anew, unless
// that gave fewer than eight tasks.
inline Tasks cut_tasks(const Blocks& blocks, int64_t sum_size, int64_t panels) {
  const int64_t bytes = larger(sum_size, int64_t{1}) * int64_t{sizeof(float)};
  const int64_t fitting = smaller(blocks.count() * blocks.positions() / 1024, (int64_t{16} << 20) / bytes);
  const int64_t chunks = smaller(smaller(blocks.count(), int64_t{32}), larger(fitting, int64_t{1}));
  if (chunks >= 16) return {chunks, 1};
  const int64_t parts = smaller(ceil_div(int64_t{32}, chunks), panels / 8);
  return {chunks, smaller(larger(parts, ceil_div(int64_t{8}, chunks)), panels)};
}

// The offset of every cell of a window in the input.
inline void cell_offsets(const Windows& w, const Blocks& blocks, const ConvSizes& s, int64_t* to) {
  for (int64_t a = 0; a < s.kh; ++a)
    for (int64_t b = 0; b < s.kw; ++b) {
      const int64_t start = tap_offset(w, blocks, a * s.dilation_h - s.pad_h, b * s.dilation_w - s.pad_w);
      for (int64_t c = 0; c < w.cg; ++c) *to++ = start + c;
    }
}

// One group of the gradient, neither positions nor results being none.
bool packed_kernel_gradient(Pool& pool, const Windows& w, const float* dy, float* dkernel, const ConvSizes& s,
                            int64_t group);

}  // namespace chainrule::CHAINRULE_ISA::direct
