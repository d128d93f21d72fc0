// The gradient to the kernel: at each of the 36 points, the product of transformed inputs and transformed output
// gradients, summed over all tiles, and then the transpose of the kernel's transform.
#include "kernels/conv_winograd.h"
#include "kernels/conv_winograd_blocks.h"
#include "kernels/conv_winograd_product.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

constexpr int64_t kBlock = 64;  // channels, and filters: 590 KB of sums; smaller blocks repeat more transforms

// The work is cut into items, each a run of tiles ("chunk") for a block of channels and a block of filters, whose sums
// are kept apart and added in the order of the chunks: a function of the sizes alone, never of the number of threads.
struct Cut {
  int64_t channels, filters;                // of a block
  int64_t channel_blocks, filter_blocks;
  int64_t chunks, tiles, chunk_tiles;
  int64_t plane, item;                      // floats of the sums of an item: of a point, in all
};

Cut cut(const ConvSizes& sizes) {
  Cut cut;
  cut.channels = smaller(sizes.c, kBlock);
  cut.filters = smaller(sizes.f, kBlock);
  cut.channel_blocks = ceil_div(sizes.c, cut.channels);
  cut.filter_blocks = ceil_div(sizes.f, cut.filters);
  cut.tiles = tiles_of(sizes).count;
  const int64_t pairs = cut.channel_blocks * cut.filter_blocks;
  const int64_t most = larger(32 / pairs, int64_t{1}), wanted = larger(cut.tiles / 64, int64_t{1});
  cut.chunk_tiles = ceil_div(cut.tiles, smaller(wanted, most));
  cut.chunks = ceil_div(cut.tiles, cut.chunk_tiles);
  cut.plane = cut.channels * round_up(cut.filters, kPanel) + kSkew;
  cut.item = kPoints * cut.plane;
  return cut;
}

// Tiles transformed at a time, so that both sides stay in the level-2 cache.
int64_t tiles_at_once(const Cut& cut) {
  const int64_t lanes = round_up(cut.channels, kWidth) + round_up(cut.filters, kPanel);
  const int64_t room = (384 << 10) / (kPoints * 4 * lanes);
  return smaller(cut.chunk_tiles, larger(smaller(room, int64_t{96}), int64_t{16}));
}

template <int V, bool kAdd>
void add_panel(int64_t channels, const float* left, int64_t row, int64_t left_plane, const float* right,
               int64_t right_plane, float* sums, int64_t plane, int64_t count) {
  for (int64_t i = 0; i < kPoints; ++i)
    product<V, true, kAdd>(channels, left + i * left_plane, row, right + i * right_plane, sums + i * plane, count);
}

// One item: sums[point][panel][channel][kPanel].
bool sum_item(const float* x, const float* dy, const ConvSizes& sizes, const Cut& cut, int64_t item, float* sums) {
  const int64_t pair = item / cut.chunks, first = item % cut.chunks * cut.chunk_tiles;
  const int64_t last = smaller(first + cut.chunk_tiles, cut.tiles);
  const int64_t c = pair / cut.filter_blocks * cut.channels, f = pair % cut.filter_blocks * cut.filters;
  const int64_t channels = smaller(cut.channels, sizes.c - c), filters = smaller(cut.filters, sizes.f - f);
  const Image inputs{x + c, sizes.h, sizes.w, sizes.c, channels};
  const Image outputs{dy + f, sizes.oh, sizes.ow, sizes.f, filters};
  const int64_t most = tiles_at_once(cut), row = round_up(channels, kWidth), panels = ceil_div(filters, kPanel);
  const int64_t left_plane = most * row + kSkew, right_plane = panels * most * kPanel + kSkew;
  float* left = static_cast<float*>(scratch(1, (kPoints * left_plane + spare_floats(larger(channels, filters))) * 4));
  float* right = static_cast<float*>(scratch(2, kPoints * right_plane * 4));
  if (left == nullptr || right == nullptr) return false;
  float* spare = left + kPoints * left_plane;
  for (int64_t tile = first; tile < last; tile += most) {
    const int64_t count = smaller(most, last - tile);
    transform_inputs(inputs, sizes, tile, count, spare, left, row, left_plane);
    transform_output_gradients(outputs, sizes, tile, count, spare, right, most * kPanel, right_plane);
    for (int64_t panel = 0; panel < panels; ++panel) {
      const bool is_narrow = filters - panel * kPanel <= kWidth;
      const auto add = tile == first ? (is_narrow ? add_panel<1, false> : add_panel<2, false>)
                                     : (is_narrow ? add_panel<1, true> : add_panel<2, true>);
      add(channels, left, row, left_plane, right + panel * most * kPanel, right_plane,
          sums + panel * cut.channels * kPanel, cut.plane, count);
    }
  }
  return true;
}

// Adds up the chunks for a few channels and a panel of filters, and transforms the totals.
constexpr int64_t kRows = 8;
bool finish_rows(const float* sums, float* dkernel, const ConvSizes& sizes, const Cut& cut, int64_t c, int64_t f) {
  float* total = static_cast<float*>(scratch(1, kPoints * kRows * kPanel * 4));
  if (total == nullptr) return false;
  const int64_t pair = c / cut.channels * cut.filter_blocks + f / cut.filters;
  const int64_t inner_c = c % cut.channels, inner_f = f % cut.filters;
  const int64_t rows = smaller(kRows, smaller(cut.channels - inner_c, sizes.c - c));
  const float* first = sums + pair * cut.chunks * cut.item + (inner_f / kPanel * cut.channels + inner_c) * kPanel;
  for (int64_t chunk = 0; chunk < cut.chunks; ++chunk)
    for (int64_t i = 0; i < kPoints; ++i) {
      const float* part = first + chunk * cut.item + i * cut.plane;
      float* sum = total + i * kRows * kPanel;
      for (int64_t v = 0; v < rows * kPanel; v += kWidth) store(sum + v, chunk ? load(sum + v) + load(part + v) : load(part + v));
    }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < kPanel && f + v < sizes.f; v += kWidth) {
      float* target = dkernel + (c + r) * sizes.f + f + v;
      const int64_t lanes = smaller(kWidth, sizes.f - f - v), step = sizes.c * sizes.f;
      kernel_gradient_tile([&](int64_t i) { return load(total + (i * kRows + r) * kPanel + v); },
                           [&](int64_t a, int64_t b, Vec g) {
                             float* p = target + (a * 3 + b) * step;
                             lanes == kWidth ? store(p, g) : store_part(p, g, lanes);
                           });
    }
  return true;
}

}  // namespace

bool winograd_kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& sizes) {
  const Cut parts = cut(sizes);
  const int64_t items = parts.channel_blocks * parts.filter_blocks * parts.chunks;
  float* sums = static_cast<float*>(scratch(0, items * parts.item * 4));
  if (sums == nullptr) return false;
  int failed = 0;
  parallel_for(pool, items, [&](int64_t item) {
    if (!sum_item(x, dy, sizes, parts, item, sums + item * parts.item)) __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
  });
  if (failed) return false;
  const int64_t groups = ceil_div(parts.channels, kRows), panels = ceil_div(sizes.f, kPanel);
  parallel_for(pool, parts.channel_blocks * groups * panels, [&](int64_t item) {
    const int64_t group = item / panels, c = group / groups * parts.channels + group % groups * kRows;
    if (c < sizes.c && !finish_rows(sums, dkernel, sizes, parts, c, item % panels * kPanel))
      __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
  });
  return failed == 0;
}

}  // namespace chainrule::CHAINRULE_ISA
