// The gradient of a convolution to its kernel where windows are wide: rows are filters, columns the cells of a window.
//
// The cells are packed in panels of columns, once for all filters, so that a block of positions is one segment and its
// columns stream from the first-level cache. The other form, whose columns are filters, reads the cells where they lie.
#include "kernels/conv_block.h"
#include "kernels/conv_kernel_gradient.h"
#include "kernels/conv_tile.h"

namespace chainrule::CHAINRULE_ISA::direct {
namespace {

struct Plan {
  Windows windows;
  Blocks blocks;
  const float* dy;
  int64_t filters;  // of all groups: floats from one position of dy to the next
  int64_t first_filter, rows;
  int64_t tiles;         // of rows
  int64_t cells;         // of a window, taps * channels
  const int64_t* from;   // offset of every cell in the input
  Panels panels;         // of cells
  int64_t panel_parts;
  int64_t chunks;
  float* sums;           // [chunks][panels][rows][vectors * kWidth]
  int64_t sum_size;
};

int64_t tile_start(const Plan& p, int64_t tile) { return p.rows * tile / p.tiles; }

struct Run {
  int64_t from, lane, count;  // neighbouring cells
};

int64_t make_runs(const Plan& p, int64_t panel, Run* runs) {
  const int64_t start = panel_start(panel);
  const int64_t lanes = smaller(panel_vectors(p.panels, panel) * kWidth, p.cells - start);
  int64_t count = 0;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    const int64_t from = p.from[start + lane];
    if (lane > 0 && from == p.from[start + lane - 1] + 1) {
      ++runs[count - 1].count;
    } else {
      runs[count++] = {from, lane, 1};
    }
  }
  return count;
}

// The panel's cells at all positions of a block: [positions][vectors * kWidth].
template <int V>
void pack_columns(const Plan& p, const Block& k, const float* cells, int64_t panel, float* to) {
  const Windows& w = p.windows;
  const int64_t wide = V * kWidth, step = w.step_w * p.blocks.pixel;
  Run runs[kMostVectors * kWidth];
  const int64_t count = make_runs(p, panel, runs);
  const bool whole = count == 1 && runs[0].count == wide;
  if (!whole && p.cells - panel_start(panel) < wide) clear_floats(to, k.positions() * wide);
  for (int64_t image = 0; image < k.images; ++image)
    for (int64_t i = 0; i < k.rows; ++i) {
      const float* row = cells + window_offset(w, p.blocks, image, i, 0);
      if (whole) {
        row += runs[0].from;
        for (int64_t j = 0; j < k.cols; ++j, row += step, to += wide)
#pragma GCC unroll 4
          for (int v = 0; v < V; ++v) store(to + v * kWidth, load(row + v * kWidth));
      } else {
        for (int64_t j = 0; j < k.cols; ++j, row += step, to += wide)
          for (int64_t run = 0; run < count; ++run)
            copy_floats(to + runs[run].lane, row + runs[run].from, runs[run].count);
      }
    }
}

// `rows` is the block's gradient, whose positions follow one another also where they belong to several rows or images.
void run_panel(const Plan& p, int64_t positions, int64_t panel, const float* rows, const float* columns, float* sums,
               bool add) {
  const int64_t vectors = panel_vectors(p.panels, panel), wide = vectors * kWidth;
  const Segment all{0, 0, positions};
  int64_t within[kMostRows], to[kMostRows];
  for (int64_t r = 0; r < kMostRows; ++r) {
    within[r] = r;
    to[r] = r * wide;
  }
  Tile t{};
  t.a_rows = within;
  t.a_step = p.filters;
  t.b = columns;
  t.b_step = wide;
  t.segments = &all;
  t.segment_count = 1;
  t.c_rows = to;
  t.lanes = wide;
  t.add = add;
  for (int64_t tile = 0; tile < p.tiles; ++tile) {
    const int64_t start = tile_start(p, tile), count = tile_start(p, tile + 1) - start, most = tile_rows(vectors);
    t.a = rows + start;
    t.c = sums + start * wide;
    for (int64_t done = 0; done < count; done += most) {  // tiles are as high as panels of two vectors allow
      tile_function(vectors, smaller(count - done, most))(t);
      t.a += most;
      t.c += most * wide;
    }
  }
}

// One chunk of the blocks, one part of the panels.
bool run_task(const Plan& p, int64_t task) {
  const int64_t chunk = task / p.panel_parts, part = task % p.panel_parts;
  const int64_t positions = p.blocks.positions(), widest = smaller(p.panels.vectors, kMostVectors) * kWidth;
  float* cell_memory = static_cast<float*>(scratch(2, p.blocks.cells() * int64_t{sizeof(float)}));
  float* columns = static_cast<float*>(scratch(3, positions * widest * int64_t{sizeof(float)}));
  if (cell_memory == nullptr || columns == nullptr) return false;
  const int64_t count = p.blocks.count();
  const int64_t begin = count * chunk / p.chunks, end = count * (chunk + 1) / p.chunks;
  const int64_t first = p.panels.count * part / p.panel_parts, last = p.panels.count * (part + 1) / p.panel_parts;
  for (int64_t index = begin; index < end; ++index) {
    const Block block = block_at(p.windows, p.blocks, index);
    const float* cells = block_cells(p.windows, p.blocks, block, cell_memory);
    const int64_t position = (block.n * p.windows.oh + block.i) * p.windows.ow + block.j;
    const float* rows = p.dy + position * p.filters + p.first_filter;
    for (int64_t panel = first; panel < last; ++panel) {
      const int64_t vectors = panel_vectors(p.panels, panel);
      (vectors == 1 ? pack_columns<1> : vectors == 2 ? pack_columns<2> : pack_columns<3>)(p, block, cells, panel,
                                                                                        columns);
      float* sums = p.sums + chunk * p.sum_size + panel_start(panel) * p.rows;
      run_panel(p, block.positions(), panel, rows, columns, sums, index > begin);
    }
  }
  return true;
}

// Adds the chunks' sums of one panel into dkernel, turned.
void reduce(const Plan& p, float* dkernel, int64_t panel) {
  const int64_t start = panel_start(panel), wide = panel_vectors(p.panels, panel) * kWidth;
  for (int64_t lane = 0; lane < wide; lane += kWidth) {
    const int64_t lanes = smaller(p.cells - start - lane, kWidth);
    for (int64_t row = 0; row < p.rows; ++row) {
      const float* from = p.sums + start * p.rows + row * wide + lane;
      Vec sum = load(from);
      for (int64_t chunk = 1; chunk < p.chunks; ++chunk) sum += load(from + chunk * p.sum_size);
      float* to = dkernel + (start + lane) * p.filters + p.first_filter + row;
      for (int64_t i = 0; i < lanes; ++i) to[i * p.filters] = sum[i];
    }
  }
}

// A tile of six rows and a panel of sixteen columns of 256 positions take 22 of the 32 KiB of the first-level cache;
// a block's cells and gradients half of the second-level one.
int64_t block_target(const Windows& w, int64_t filters) {
  const int64_t bytes = larger((w.step_h * w.step_w * w.cg + filters) * int64_t{sizeof(float)}, int64_t{1});
  return smaller(larger((int64_t{256} << 10) / bytes, int64_t{64}), int64_t{256});
}

}  // namespace

bool packed_kernel_gradient(Pool& pool, const Windows& w, const float* dy, float* dkernel, const ConvSizes& s,
                            int64_t group) {
  Plan p{};
  p.windows = w;
  p.dy = dy;
  p.filters = s.f;
  p.rows = s.f / s.groups;
  p.first_filter = group * p.rows;
  p.tiles = ceil_div(p.rows, tile_rows(2));
  p.cells = s.kh * s.kw * w.cg;
  p.panels = panels_of(p.cells);
  p.blocks = cut(w, block_target(w, p.rows));
  p.sum_size = p.rows * p.panels.vectors * kWidth;
  const Tasks tasks = cut_tasks(p.blocks, p.sum_size, p.panels.count);
  p.chunks = tasks.chunks;
  p.panel_parts = tasks.parts;
  int64_t* from = static_cast<int64_t*>(scratch(1, p.cells * int64_t{sizeof(int64_t)}));
  p.sums = static_cast<float*>(scratch(0, p.chunks * p.sum_size * int64_t{sizeof(float)}));
  if (from == nullptr || p.sums == nullptr) return false;
  p.from = from;
  cell_offsets(w, p.blocks, s, from);
  bool failed = false;
  parallel_for(pool, p.chunks * p.panel_parts, [&](int64_t task) {
    if (!run_task(p, task)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  if (!failed) parallel_for(pool, p.panels.count, [&](int64_t panel) { reduce(p, dkernel, panel); });
  return !failed;
}

}  // namespace chainrule::CHAINRULE_ISA::direct
