// Forward convolution and its gradient to the input: each cell of the result gathers the cells of a window.
#include "kernels/conv_block.h"
#include "kernels/conv_direct.h"
#include "kernels/conv_tile.h"

namespace chainrule::CHAINRULE_ISA::direct {
namespace {

struct Tap {
  int64_t dh, dw;
  int64_t index;  // its place in the kernel, a * kw + b
};

// Which weights go with the taps, and where the result lies.
struct Target {
  const float* kernel;
  int64_t tap_step, channel_step, lane_step;  // floats of the kernel from one tap, gathered channel, lane to the next
  const float* bias;                          // may be null
  float* y;
  int64_t image_step, row_step, col_step;
  int64_t lanes;
  bool relu;
};

// What all blocks share.
struct Plan {
  Windows windows;
  Target target;
  Blocks blocks;
  Panels panels;
  int64_t depth;             // products per result: taps * channels
  int64_t part;              // so many of them at a time, so that a panel of weights stays in the second-level cache
  int64_t parts;
  const Segment* segments;   // of all parts
  const int64_t* first;      // first segment of a part; one more than parts
  const int64_t* from;       // offset of every position of a block in the input
  const int64_t* to;         // and in the result
  const float* weights;      // panels of [depth][vectors * kWidth]
  const float* bias;         // whole vectors; null: none
};

// A panel of 2,048 products and two vectors of 8 takes 128 KiB of the 512 KiB second-level cache of a Zen 3.
constexpr int64_t kPart = 2048;

void pack_weights(const Target& t, const Tap* taps, int64_t tap, int64_t channels, int64_t depth, Panels panels,
                  float* weights) {
  for (int64_t panel = 0; panel < panels.count; ++panel) {
    const int64_t wide = panel_vectors(panels, panel) * kWidth, start = panel_start(panel);
    const int64_t lanes = smaller(wide, t.lanes - start);
    float* to = weights + start * depth + tap * channels * wide;
    const float* from = t.kernel + taps[tap].index * t.tap_step + start * t.lane_step;
    if (t.lane_step == 1) {
      for (int64_t c = 0; c < channels; ++c) {
        copy_floats(to + c * wide, from + c * t.channel_step, lanes);
        clear_floats(to + c * wide + lanes, wide - lanes);
      }
    } else {
      for (int64_t lane = 0; lane < wide; ++lane)
        for (int64_t c = 0; c < channels; ++c)
          to[c * wide + lane] = lane < lanes ? from[c * t.channel_step + lane * t.lane_step] : 0.0f;
    }
  }
}

// Segments of neighbouring taps, cut where a part ends; returns their number.
int64_t make_segments(const Plan& p, const Tap* taps, int64_t tap_count, Segment* segments, int64_t* first) {
  const int64_t channels = p.windows.cg;
  int64_t count = 0, part = 0, done = 0;
  first[0] = 0;
  for (int64_t tap = 0; tap < tap_count && channels > 0; ++tap) {
    const int64_t start = tap_offset(p.windows, p.blocks, taps[tap].dh, taps[tap].dw);
    for (int64_t c = 0; c < channels;) {
      const int64_t length = smaller(channels - c, (part + 1) * p.part - done);
      Segment* last = count > first[part] ? &segments[count - 1] : nullptr;
      if (last != nullptr && last->a + last->count == start + c) {
        last->count += length;
      } else {
        segments[count++] = {start + c, done - part * p.part, length};
      }
      c += length;
      done += length;
      if (done == (part + 1) * p.part && part + 1 < p.parts) first[++part] = count;
    }
  }
  first[p.parts] = count;
  return count;
}

void run_panel(const Plan& p, const float* cells, float* y, int64_t positions, int64_t part, int64_t panel) {
  const int64_t vectors = panel_vectors(p.panels, panel), start = panel_start(panel), wide = vectors * kWidth;
  const int64_t most = tile_rows(vectors);
  Tile t{};
  t.a = cells;
  t.a_step = 1;
  t.b = p.weights + start * p.depth + part * p.part * wide;
  t.b_step = wide;
  t.segments = p.segments + p.first[part];
  t.segment_count = p.first[part + 1] - p.first[part];
  t.c = y + start;
  t.lanes = smaller(wide, p.target.lanes - start);
  t.bias = part == 0 && p.bias != nullptr ? p.bias + start : nullptr;
  t.add = part > 0;
  t.relu = p.target.relu && part == p.parts - 1;
  const TileFunction whole = tile_function(vectors, most);
  int64_t at = 0;
  for (; at + most <= positions; at += most) {
    t.a_rows = p.from + at;
    t.c_rows = p.to + at;
    whole(t);
  }
  if (at < positions) {
    t.a_rows = p.from + at;
    t.c_rows = p.to + at;
    tile_function(vectors, positions - at)(t);
  }
}

bool run_block(const Plan& p, int64_t index) {
  const Block block = block_at(p.windows, p.blocks, index);
  float* memory = static_cast<float*>(scratch(2, p.blocks.cells() * int64_t{sizeof(float)}));
  if (memory == nullptr) return false;
  const float* cells = block_cells(p.windows, p.blocks, block, memory);
  const Target& t = p.target;
  float* y = t.y + block.n * t.image_step + block.i * t.row_step + block.j * t.col_step;
  for (int64_t part = 0; part < p.parts; ++part)
    for (int64_t panel = 0; panel < p.panels.count; ++panel)
      run_panel(p, cells, y, block.positions(), part, panel);
  return true;
}

// Fewer positions than 64 leave too much of the last tile empty; more than 128 KiB of input leave the second-level
// cache; at least sixteen blocks give every thread its share.
int64_t block_target(const Windows& w) {
  const int64_t bytes = larger(w.step_h * w.step_w * w.cg, int64_t{1}) * int64_t{sizeof(float)};
  const int64_t fitting = smaller(larger((int64_t{1} << 17) / bytes, int64_t{96}), int64_t{480});
  return smaller(fitting, larger(w.n * w.oh * w.ow / 16, int64_t{48}));
}

bool gather(Pool& pool, Windows w, const Target& target, const Tap* taps, int64_t tap_count) {
  w.low_h = w.high_h = tap_count ? taps[0].dh : 0;
  w.low_w = w.high_w = tap_count ? taps[0].dw : 0;
  for (int64_t tap = 0; tap < tap_count; ++tap) {
    w.low_h = smaller(w.low_h, taps[tap].dh);
    w.high_h = larger(w.high_h, taps[tap].dh);
    w.low_w = smaller(w.low_w, taps[tap].dw);
    w.high_w = larger(w.high_w, taps[tap].dw);
  }
  Plan p{};
  p.windows = w;
  p.target = target;
  p.blocks = cut(w, block_target(w));
  p.panels = panels_of(target.lanes);
  const int64_t count = p.blocks.count(), positions = p.blocks.positions();
  if (count == 0 || target.lanes == 0) return true;
  p.depth = tap_count * w.cg;
  p.parts = larger(ceil_div(p.depth, kPart), int64_t{1});
  p.part = kPart;

  const int64_t wide = p.panels.vectors * kWidth, most_segments = tap_count + p.parts;
  float* weights = static_cast<float*>(scratch(0, (p.depth + 1) * wide * int64_t{sizeof(float)}));
  char* tables = static_cast<char*>(scratch(
      1, most_segments * int64_t{sizeof(Segment)} + (p.parts + 1 + 2 * positions) * int64_t{sizeof(int64_t)}));
  if (weights == nullptr || tables == nullptr) return false;
  Segment* segments = reinterpret_cast<Segment*>(tables);
  int64_t* first = reinterpret_cast<int64_t*>(segments + most_segments);
  int64_t* from = first + p.parts + 1;
  int64_t* to = from + positions;
  make_segments(p, taps, tap_count, segments, first);
  for (int64_t image = 0, at = 0; image < p.blocks.images; ++image)
    for (int64_t i = 0; i < p.blocks.rows; ++i)
      for (int64_t j = 0; j < p.blocks.cols; ++j, ++at) {
        from[at] = window_offset(w, p.blocks, image, i, j);
        to[at] = image * target.image_step + i * target.row_step + j * target.col_step;
      }
  p.segments = segments;
  p.first = first;
  p.from = from;
  p.to = to;
  p.weights = weights;
  if (target.bias != nullptr) {
    float* bias = weights + p.depth * wide;
    copy_floats(bias, target.bias, target.lanes);
    clear_floats(bias + target.lanes, wide - target.lanes);
    p.bias = bias;
  }
  parallel_for(pool, tap_count,
               [&](int64_t tap) { pack_weights(target, taps, tap, w.cg, p.depth, p.panels, weights); });
  bool failed = false;
  parallel_for(pool, count, [&](int64_t index) {
    if (!run_block(p, index)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  return !failed;
}

Tap* tap_memory(int64_t count) { return static_cast<Tap*>(scratch(5, count * int64_t{sizeof(Tap)})); }

}  // namespace

bool forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y,
                    const ConvSizes& sizes, bool relu) {
  const ConvSizes s = is_pointwise(sizes) ? flat(sizes) : sizes;
  const int64_t cg = s.c / s.groups, fg = s.f / s.groups;
  Tap* taps = tap_memory(s.kh * s.kw);
  if (taps == nullptr) return false;
  int64_t count = 0;
  for (int64_t a = 0; a < s.kh; ++a)
    for (int64_t b = 0; b < s.kw; ++b, ++count)
      taps[count] = {a * s.dilation_h - s.pad_h, b * s.dilation_w - s.pad_w, count};
  for (int64_t g = 0; g < s.groups; ++g) {
    const Windows windows{x, s.n, s.h, s.w, s.c, g * cg, cg, s.oh, s.ow, s.stride_h, s.stride_w, 0, 0, 0, 0};
    const Target target{kernel + g * fg,
                        cg * s.f,
                        s.f,
                        1,
                        bias == nullptr ? nullptr : bias + g * fg,
                        y + g * fg,
                        s.oh * s.ow * s.f,
                        s.ow * s.f,
                        s.f,
                        fg,
                        relu};
    if (!gather(pool, windows, target, taps, count)) return false;
  }
  return true;
}

namespace {

// The cells top, top + stride_h, ... by left, left + stride_w, ... of dx: a convolution of dy with step 1.
bool input_phase(Pool& pool, const float* dy, const float* kernel, const float* bias, float* dx, const ConvSizes& s,
                 int64_t top, int64_t left, Tap* taps) {
  const int64_t rows = ceil_div(s.h - top, s.stride_h), cols = ceil_div(s.w - left, s.stride_w);
  const int64_t cg = s.c / s.groups, fg = s.f / s.groups;
  int64_t count = 0;
  // backwards, so that the cells of dy come in rising order
  for (int64_t a = s.kh - 1; a >= 0; --a) {
    const int64_t row = top + s.pad_h - a * s.dilation_h;
    if (row % s.stride_h != 0) continue;
    for (int64_t b = s.kw - 1; b >= 0; --b) {
      const int64_t col = left + s.pad_w - b * s.dilation_w;
      if (col % s.stride_w == 0) taps[count++] = {row / s.stride_h, col / s.stride_w, a * s.kw + b};
    }
  }
  for (int64_t g = 0; g < s.groups; ++g) {
    const Windows windows{dy, s.n, s.oh, s.ow, s.f, g * fg, fg, rows, cols, 1, 1, 0, 0, 0, 0};
    const Target target{kernel + g * fg,
                        cg * s.f,
                        1,
                        s.f,
                        bias == nullptr ? nullptr : bias + g * cg,
                        dx + (top * s.w + left) * s.c + g * cg,
                        s.h * s.w * s.c,
                        s.stride_h * s.w * s.c,
                        s.stride_w * s.c,
                        cg,
                        false};
    if (!gather(pool, windows, target, taps, count)) return false;
  }
  return true;
}

}  // namespace

bool input_gradient(Pool& pool, const float* dy, const float* kernel, const float* bias, float* dx,
                           const ConvSizes& sizes) {
  const ConvSizes s = is_pointwise(sizes) ? flat(sizes) : sizes;
  Tap* taps = tap_memory(s.kh * s.kw);
  if (taps == nullptr) return false;
  for (int64_t top = 0; top < smaller(s.stride_h, s.h); ++top)
    for (int64_t left = 0; left < smaller(s.stride_w, s.w); ++left)
      if (!input_phase(pool, dy, kernel, bias, dx, s, top, left, taps)) return false;
  return true;
}

}  // namespace chainrule::CHAINRULE_ISA::direct
