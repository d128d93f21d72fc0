// How the positions of a convolution are cut into blocks, and how a block finds the cells of its input.
#pragma once

#include "chainrule/simd.h"
#include "kernels/conv_sizes.h"

namespace chainrule::CHAINRULE_ISA::direct {

// The cells of x that a grid of windows touches: window (i, j) of image n takes the cell
// (i * step_h + dh, j * step_w + dw) for every tap (dh, dw); cells outside of x are 0.
struct Windows {
  const float* x;
  int64_t n, h, w, c;   // x: [n, h, w, c]
  int64_t first, cg;    // the channels of the group: first .. first + cg
  int64_t oh, ow;       // windows of an image
  int64_t step_h, step_w;
  int64_t low_h, high_h, low_w, high_w;  // smallest and largest dh and dw of the taps
};

// A block is some whole images, some rows of one image, or some columns of one row, so that smaller last blocks hold a
// prefix of the positions of the others.
struct Blocks {
  int64_t images, rows, cols;
  int64_t grid_n, grid_h, grid_w;
  bool packed;    // the cells of a block are copied, with zeros around them
  int64_t hb, wb;  // rows and columns of cells of an image in the copy, or in x
  int64_t pixel;   // floats from one cell to the next
  int64_t count() const { return grid_n * grid_h * grid_w; }
  int64_t positions() const { return images * rows * cols; }
  int64_t cells() const { return packed ? images * hb * wb * pixel : 0; }
};

struct Block {
  int64_t n, i, j;              // first image, row, column of windows
  int64_t images, rows, cols;   // how many
  int64_t positions() const { return images * rows * cols; }
};

inline int64_t even_part(int64_t size, int64_t most) {  // size of parts that are about equal, at most `most`
  return ceil_div(size, ceil_div(size, most));
}

// Blocks of about `target` positions; some of the grid's axes may be empty.
inline Blocks cut(const Windows& w, int64_t target) {
  Blocks b{};
  if (w.n == 0 || w.oh == 0 || w.ow == 0) return b;
  b.images = 1;
  b.rows = w.oh;
  b.cols = w.ow;
  if (w.oh * w.ow <= target) {
    b.images = even_part(w.n, target / (w.oh * w.ow));
  } else if (w.ow <= target) {
    b.rows = even_part(w.oh, target / w.ow);
  } else {
    b.rows = 1;
    b.cols = even_part(w.ow, target);
  }
  b.grid_n = ceil_div(w.n, b.images);
  b.grid_h = ceil_div(w.oh, b.rows);
  b.grid_w = ceil_div(w.ow, b.cols);
  b.packed = w.low_h < 0 || w.low_w < 0 || (w.oh - 1) * w.step_h + w.high_h >= w.h ||
             (w.ow - 1) * w.step_w + w.high_w >= w.w;
  b.hb = b.packed ? (b.rows - 1) * w.step_h + w.high_h - w.low_h + 1 : w.h;
  b.wb = b.packed ? (b.cols - 1) * w.step_w + w.high_w - w.low_w + 1 : w.w;
  b.pixel = b.packed ? w.cg : w.c;
  return b;
}

inline Block block_at(const Windows& w, const Blocks& b, int64_t index) {
  Block k{};
  k.j = index % b.grid_w * b.cols;
  k.i = index / b.grid_w % b.grid_h * b.rows;
  k.n = index / b.grid_w / b.grid_h * b.images;
  k.images = smaller(b.images, w.n - k.n);
  k.rows = smaller(b.rows, w.oh - k.i);
  k.cols = smaller(b.cols, w.ow - k.j);
  return k;
}

// Where a window of a block begins, counted from the block's first cell.
inline int64_t window_offset(const Windows& w, const Blocks& b, int64_t image, int64_t i, int64_t j) {
  return ((image * b.hb + i * w.step_h) * b.wb + j * w.step_w) * b.pixel;
}
inline int64_t tap_offset(const Windows& w, const Blocks& b, int64_t dh, int64_t dw) {
  return ((dh - w.low_h) * b.wb + (dw - w.low_w)) * b.pixel;
}

inline void copy_floats(float* to, const float* from, int64_t count) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(to + i, load(from + i));
  for (; i < count; ++i) to[i] = from[i];
}
inline void clear_floats(float* to, int64_t count) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(to + i, Vec{});
  for (; i < count; ++i) to[i] = 0;
}

// Copies the cells first_cell .. first_cell + cells of one row of x, channels of the group only, zeros outside.
inline void pack_row(const Windows& w, const float* row, int64_t first_cell, int64_t cells, float* to) {
  const int64_t before = smaller(larger(-first_cell, int64_t{0}), cells);
  const int64_t end = larger(smaller(w.w - first_cell, cells), before);
  clear_floats(to, before * w.cg);
  if (w.cg == w.c) {
    copy_floats(to + before * w.cg, row + (first_cell + before) * w.c, (end - before) * w.c);
  } else {
    for (int64_t cell = before; cell < end; ++cell)
      copy_floats(to + cell * w.cg, row + (first_cell + cell) * w.c + w.first, w.cg);
  }
  clear_floats(to + end * w.cg, (cells - end) * w.cg);
}

// The first cell of a block: in x itself, or in `memory` (b.cells() floats), to which they are copied.
inline const float* block_cells(const Windows& w, const Blocks& b, const Block& k, float* memory) {
  const int64_t top = k.i * w.step_h + w.low_h, left = k.j * w.step_w + w.low_w;
  if (!b.packed) return w.x + ((k.n * w.h + top) * w.w + left) * w.c + w.first;
  const int64_t tall = (k.rows - 1) * w.step_h + w.high_h - w.low_h + 1;
  const int64_t wide = (k.cols - 1) * w.step_w + w.high_w - w.low_w + 1;
  for (int64_t image = 0; image < k.images; ++image) {
    for (int64_t i = 0; i < tall; ++i) {
      float* to = memory + (image * b.hb + i) * b.wb * w.cg;
      if (top + i < 0 || top + i >= w.h) {
        clear_floats(to, wide * w.cg);
      } else {
        pack_row(w, w.x + ((k.n + image) * w.h + top + i) * w.w * w.c, left, wide, to);
      }
    }
  }
  return memory;
}

// A window of a single cell and step 1 without padding makes no difference between rows and columns.
inline bool is_pointwise(const ConvSizes& s) {
  return s.kh == 1 && s.kw == 1 && s.stride_h == 1 && s.stride_w == 1 && s.pad_h == 0 && s.pad_w == 0 &&
         s.oh == s.h && s.ow == s.w;
}
inline ConvSizes flat(ConvSizes s) {
  const int64_t cells = s.n * s.h * s.w;
  s.n = s.h = s.oh = 1;
  s.w = s.ow = cells;
  return s;
}

}  // namespace chainrule::CHAINRULE_ISA::direct
