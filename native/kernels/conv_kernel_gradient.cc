// The gradient of a convolution to its kernel: the product of the windows' cells, turned, and the output's gradient.
//
// Its rows are the cells of a window, its columns the filters, and it sums over positions. The positions are cut into
// chunks, each with a sum of its own, and the sums of the chunks are added in order.
#include "kernels/conv_block.h"
#include "kernels/conv_direct.h"
#include "kernels/conv_kernel_gradient.h"
#include "kernels/conv_tile.h"

namespace chainrule::CHAINRULE_ISA::direct {
namespace {

struct Plan {
  Windows windows;
  Blocks blocks;
  const float* dy;
  int64_t filters;         // of all groups: floats from one position of dy to the next
  int64_t first_filter, lanes;
  Panels panels;
  bool pack_dy;
  int64_t rows;            // cells of a window, taps * channels
  const int64_t* from;     // offset of every row in the input
  int64_t row_parts, rows_in_part;
  int64_t chunks;
  float* sums;             // [chunks][panels][rows][vectors * kWidth]
  int64_t sum_size;
};

constexpr int64_t kRowsTogether = 24;  // a multiple of every tile_rows(2) and tile_rows(3)

// The panel's filters of a block's positions, zeros after them.
void pack_dy(const Plan& p, const Block& k, int64_t panel, float* to) {
  const int64_t wide = panel_vectors(p.panels, panel) * kWidth, start = panel_start(panel);
  const int64_t lanes = smaller(wide, p.lanes - start);
  for (int64_t image = 0; image < k.images; ++image)
    for (int64_t i = 0; i < k.rows; ++i) {
      const int64_t position = ((k.n + image) * p.windows.oh + k.i + i) * p.windows.ow + k.j;
      const float* from = p.dy + position * p.filters + p.first_filter + start;
      for (int64_t j = 0; j < k.cols; ++j, from += p.filters, to += wide) {
        copy_floats(to, from, lanes);
        clear_floats(to + lanes, wide - lanes);
      }
    }
}

// One segment for each row of positions.
int64_t make_segments(const Plan& p, const Block& k, Segment* segments) {
  int64_t count = 0, position = 0;
  for (int64_t image = 0; image < k.images; ++image)
    for (int64_t i = 0; i < k.rows; ++i) {
      const int64_t b = p.pack_dy ? position : image * p.windows.oh * p.windows.ow + i * p.windows.ow;
      segments[count++] = {window_offset(p.windows, p.blocks, image, i, 0), b, k.cols};
      position += k.cols;
    }
  return count;
}

struct Memory {
  float* cells;
  float* panel;
  Segment* segments;
};

void run_panel(const Plan& p, const Block& k, const float* cells, const Memory& memory, int64_t panel, float* sums,
               int64_t row_part, bool add) {
  const int64_t vectors = panel_vectors(p.panels, panel), start = panel_start(panel), wide = vectors * kWidth;
  const int64_t most = tile_rows(vectors);
  int64_t to[kMostRows];
  for (int64_t r = 0; r < kMostRows; ++r) to[r] = r * wide;
  Tile t{};
  t.a = cells;
  t.a_step = p.windows.step_w * p.blocks.pixel;
  t.b_step = p.pack_dy ? wide : p.filters;
  if (p.pack_dy) {
    pack_dy(p, k, panel, memory.panel);
    t.b = memory.panel;
  } else {
    const int64_t position = (k.n * p.windows.oh + k.i) * p.windows.ow + k.j;
    t.b = p.dy + position * p.filters + p.first_filter + start;
  }
  t.segments = memory.segments;
  t.segment_count = make_segments(p, k, memory.segments);
  t.c_rows = to;
  t.lanes = wide;
  t.add = add;
  const TileFunction whole = tile_function(vectors, most);
  const int64_t end = smaller((row_part + 1) * p.rows_in_part, p.rows);
  for (int64_t row = row_part * p.rows_in_part; row < end; row += most) {
    t.a_rows = p.from + row;
    t.c = sums + start * p.rows + row * wide;
    (end - row >= most ? whole : tile_function(vectors, end - row))(t);
  }
}

// One chunk of the blocks, one part of the rows.
bool run_task(const Plan& p, int64_t task) {
  const int64_t chunk = task / p.row_parts, row_part = task % p.row_parts;
  const int64_t positions = p.blocks.positions();
  const int64_t widest = smaller(p.panels.vectors, kMostVectors) * kWidth;
  Memory memory{};
  memory.cells = static_cast<float*>(scratch(2, p.blocks.cells() * int64_t{sizeof(float)}));
  memory.panel = static_cast<float*>(scratch(3, (p.pack_dy ? positions * widest : 0) * int64_t{sizeof(float)}));
  memory.segments =
      static_cast<Segment*>(scratch(4, p.blocks.images * p.blocks.rows * int64_t{sizeof(Segment)}));
  if (memory.cells == nullptr || memory.panel == nullptr || memory.segments == nullptr) return false;
  const int64_t count = p.blocks.count();
  const int64_t begin = count * chunk / p.chunks, end = count * (chunk + 1) / p.chunks;
  for (int64_t index = begin; index < end; ++index) {
    const Block block = block_at(p.windows, p.blocks, index);
    const float* cells = block_cells(p.windows, p.blocks, block, memory.cells);
    for (int64_t panel = 0; panel < p.panels.count; ++panel)
      run_panel(p, block, cells, memory, panel, p.sums + chunk * p.sum_size, row_part, index > begin);
  }
  return true;
}

// Adds the chunks' sums of the rows [begin, end) into dkernel.
void reduce(const Plan& p, float* dkernel, int64_t begin, int64_t end) {
  for (int64_t panel = 0; panel < p.panels.count; ++panel) {
    const int64_t start = panel_start(panel), wide = panel_vectors(p.panels, panel) * kWidth;
    for (int64_t row = begin; row < end; ++row)
      for (int64_t lane = 0; lane < wide; lane += kWidth) {
        const float* from = p.sums + start * p.rows + row * wide + lane;
        Vec sum = load(from);
        for (int64_t chunk = 1; chunk < p.chunks; ++chunk) sum += load(from + chunk * p.sum_size);
        float* to = dkernel + row * p.filters + p.first_filter + start + lane;
        const int64_t left = p.lanes - start - lane;
        if (left >= kWidth) {
          store(to, sum);
        } else if (left > 0) {
          store_part(to, sum, left);
        }
      }
  }
}

// A block's cells and gradient are read once for each tile: they should lie in the first-level cache (24 of 32 KiB),
// but fewer than 64 positions would make loading and storing the tiles' sums dear.
int64_t block_target(const Windows& w, int64_t filters) {
  const int64_t bytes = (w.step_h * w.step_w * w.cg + filters) * int64_t{sizeof(float)};
  return smaller(larger((int64_t{24} << 10) / larger(bytes, int64_t{1}), int64_t{64}), int64_t{512});
}

void clear_group(float* dkernel, int64_t rows, int64_t filters, int64_t lanes) {
  for (int64_t row = 0; row < rows; ++row) clear_floats(dkernel + row * filters, lanes);
}

bool run_group(Pool& pool, const Windows& w, const float* dy, float* dkernel, const ConvSizes& s, int64_t group) {
  Plan p{};
  p.windows = w;
  p.dy = dy;
  p.filters = s.f;
  p.lanes = s.f / s.groups;
  p.first_filter = group * p.lanes;
  p.panels = panels_of(p.lanes);
  p.rows = s.kh * s.kw * w.cg;
  p.blocks = cut(w, block_target(w, p.lanes));
  if (p.rows == 0 || p.lanes == 0) return true;
  if (p.blocks.count() == 0) {
    clear_group(dkernel + p.first_filter, p.rows, s.f, p.lanes);
    return true;
  }
  // measured on a Zen 3: with fewer channels, filters or cells packing costs more than it saves
  if (w.cg >= 16 && p.lanes >= 64 && p.rows >= 32) return packed_kernel_gradient(pool, w, dy, dkernel, s, group);
  p.pack_dy = p.lanes % kWidth != 0 || s.f >= 128;
  p.sum_size = p.rows * p.panels.vectors * kWidth;
  const Tasks tasks = cut_tasks(p.blocks, p.sum_size, ceil_div(p.rows, kRowsTogether));
  p.chunks = tasks.chunks;
  p.rows_in_part = round_up(ceil_div(p.rows, tasks.parts), kRowsTogether);
  p.row_parts = ceil_div(p.rows, p.rows_in_part);
  int64_t* from = static_cast<int64_t*>(scratch(1, p.rows * int64_t{sizeof(int64_t)}));
  p.sums = static_cast<float*>(scratch(0, p.chunks * p.sum_size * int64_t{sizeof(float)}));
  if (from == nullptr || p.sums == nullptr) return false;
  p.from = from;
  cell_offsets(w, p.blocks, s, from);
  bool failed = false;
  parallel_for(pool, p.chunks * p.row_parts, [&](int64_t task) {
    if (!run_task(p, task)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  if (failed) return false;
  const int64_t parts = smaller(ceil_div(p.rows, int64_t{16}), int64_t{64});
  parallel_for(pool, parts,
               [&](int64_t part) { reduce(p, dkernel, p.rows * part / parts, p.rows * (part + 1) / parts); });
  return true;
}

}  // namespace

bool kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& sizes) {
  ConvSizes s = sizes;
  if (is_pointwise(s)) s = flat(s);
  const int64_t cg = s.c / s.groups;
  for (int64_t g = 0; g < s.groups; ++g) {
    const Windows windows{x,          s.n,        s.h,  s.w,
                          s.c,        g * cg,     cg,   s.oh,
                          s.ow,       s.stride_h, s.stride_w,
                          -s.pad_h,   (s.kh - 1) * s.dilation_h - s.pad_h,
                          -s.pad_w,   (s.kw - 1) * s.dilation_w - s.pad_w};
    if (!run_group(pool, windows, dy, dkernel, s, g)) return false;
  }
  return true;
}

}  // namespace chainrule::CHAINRULE_ISA::direct
