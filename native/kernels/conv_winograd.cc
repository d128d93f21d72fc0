#include "kernels/conv_winograd.h"

#include "kernels/conv_winograd_blocks.h"
#include "kernels/conv_winograd_product.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

// What the blocks of one call share. The transformed kernel lies in panels of filters: [panel][point][channel][kPanel].
struct Shared {
  const float* x;
  const float* points;
  const float* bias;
  float* y;
  const ConvSizes& sizes;
  bool relu;
};

int64_t point_plane(const ConvSizes& sizes) { return sizes.c * kPanel + kSkew; }
int64_t panels_of(const ConvSizes& sizes) { return ceil_div(sizes.f, kPanel); }

// Tiles of a block, a multiple of 12: as many as keep its transformed inputs within a quarter of a level-2 cache of 512
// KiB, but not so few that the kernel is fetched too often. Anything from half to twice as many is within 5 %.
int64_t tiles_per_block(const ConvSizes& sizes) {
  const int64_t room = (128 << 10) / (kPoints * 4 * round_up(sizes.c, kWidth));
  return larger(smaller(room / 12 * 12, int64_t{48}), int64_t{24});
}

CHAINRULE_INLINE Vec load_some(const float* p, int64_t count) {
  return count >= kWidth ? load(p) : load_part(p, count);
}

void transform_kernel(Pool& pool, const float* kernel, float* points, const ConvSizes& sizes) {
  const int64_t plane = point_plane(sizes), panels = panels_of(sizes);
  constexpr int64_t kChannels = 16;  // of an item
  const int64_t parts = ceil_div(sizes.c, kChannels);
  parallel_for(pool, panels * parts, [&](int64_t item) {
    const int64_t panel = item / parts, from = item % parts * kChannels;
    const int64_t until = smaller(from + kChannels, sizes.c);
    for (int64_t c = from; c < until; ++c)
      for (int64_t f = panel * kPanel; f < smaller((panel + 1) * kPanel, sizes.f); f += kWidth)
        kernel_tile(
            [&](int64_t r, int64_t s) {
              return load_some(kernel + ((r * 3 + s) * sizes.c + c) * sizes.f + f, sizes.f - f);
            },
            points + panel * kPoints * plane + c * kPanel + (f - panel * kPanel), plane);
  });
}

template <int V>
void products(const Shared& shared, const float* inputs, int64_t row, int64_t plane, int64_t panel, int64_t count,
              float* results, int64_t result_plane) {
  const int64_t depth = shared.sizes.c, point = point_plane(shared.sizes);
  const float* right = shared.points + panel * kPoints * point;
  for (int64_t i = 0; i < kPoints; ++i)
    product<V, false, false>(count, inputs + i * plane, row, right + i * point, results + i * result_plane, depth);
}

// One tile's outputs of a vector of filters from f on.
CHAINRULE_INLINE void write_tile(const Shared& shared, const Place& place, int64_t f, const float* results,
                                 int64_t result_plane) {
  const ConvSizes& sizes = shared.sizes;
  const int64_t filters = sizes.f - f;
  const Vec bias = shared.bias ? load_some(shared.bias + f, filters) : Vec{};
  // as first operand, so that larger() keeps what is not a number
  const Vec floor = shared.relu ? Vec{} : broadcast(-__builtin_inff());
  float* base = shared.y + ((place.image * sizes.oh + place.top) * sizes.ow + place.left) * sizes.f + f;
  const int64_t across = sizes.f, down = sizes.ow * sizes.f;
  const int64_t rows = sizes.oh - place.top, columns = sizes.ow - place.left;
  const auto at = [=](int64_t point) CHAINRULE_INLINED { return load(results + point * result_plane); };
  if (rows >= kTile && columns >= kTile && filters >= kWidth) {
    output_tile(at, [=](int64_t r, const Vec(&y)[4]) CHAINRULE_INLINED {
#pragma GCC unroll 4
      for (int64_t s = 0; s < kTile; ++s) store(base + r * down + s * across, larger(floor, y[s] + bias));
    });
  } else {
    output_tile(at, [=](int64_t r, const Vec(&y)[4]) CHAINRULE_INLINED {
      for (int64_t s = 0; s < kTile; ++s)
        if (r < rows && s < columns)
          store_part(base + r * down + s * across, larger(floor, y[s] + bias), smaller(filters, kWidth));
    });
  }
}

// The outputs of the tiles [first, first + count) and of the panels [from, until).
bool block(const Shared& shared, int64_t first, int64_t count, int64_t from, int64_t until) {
  const ConvSizes& sizes = shared.sizes;
  const int64_t row = round_up(sizes.c, kWidth), plane = count * row + kSkew, result_plane = count * kPanel + kSkew;
  float* inputs = static_cast<float*>(scratch(1, (kPoints * plane + spare_floats(sizes.c)) * 4));
  float* results = static_cast<float*>(scratch(2, kPoints * result_plane * 4));
  if (inputs == nullptr || results == nullptr) return false;
  const Image image{shared.x, sizes.h, sizes.w, sizes.c, sizes.c};
  transform_inputs(image, sizes, first, count, inputs + kPoints * plane, inputs, row, plane);
  const Tiles tiles = tiles_of(sizes);
  for (int64_t panel = from; panel < until; ++panel) {
    const int64_t vectors = sizes.f - panel * kPanel > kWidth ? 2 : 1;
    (vectors == 2 ? products<2> : products<1>)(shared, inputs, row, plane, panel, count, results, result_plane);
    Place place = place_of(tiles, first);
    for (int64_t t = 0; t < count; ++t, advance(tiles, place)) {
      for (int64_t v = 0; v < vectors; ++v)
        write_tile(shared, place, panel * kPanel + v * kWidth, results + t * kPanel + v * kWidth, result_plane);
    }
  }
  return true;
}

// kernel[2 - r, 2 - s, c, f] at [r, s, f, c]: what the gradient to the input convolves with. Rows are read in full, as
// the processor fetches them ahead, and turned in squares by way of a buffer with odd rows.
void turn_kernel(Pool& pool, const float* kernel, float* turned, int64_t channels, int64_t filters) {
  constexpr int64_t kSide = 16;
  const int64_t parts = ceil_div(channels, kSide);
  parallel_for(pool, 9 * parts, [&](int64_t item) {
    const int64_t window = item / parts, c = item % parts * kSide, height = smaller(kSide, channels - c);
    const float* source = kernel + ((8 - window) * channels + c) * filters;
    float* target = turned + window * filters * channels + c;
    float square[kSide * (kSide + 1)];
    for (int64_t f = 0; f < filters; f += kSide) {
      const int64_t width = smaller(kSide, filters - f);
      for (int64_t i = 0; i < height; ++i)
        for (int64_t j = 0; j < width; ++j) square[j * (kSide + 1) + i] = source[i * filters + f + j];
      for (int64_t j = 0; j < width; ++j)
        for (int64_t i = 0; i < height; ++i) target[(f + j) * channels + i] = square[j * (kSide + 1) + i];
    }
  });
}

}  // namespace

bool winograd_forward(Pool& pool, const float* x, const float* kernel, const float* bias, float* y,
                      const ConvSizes& sizes, bool relu) {
  const int64_t panels = panels_of(sizes), point_floats = panels * kPoints * point_plane(sizes);
  float* points = static_cast<float*>(scratch(0, point_floats * 4));
  if (points == nullptr) return false;
  transform_kernel(pool, kernel, points, sizes);
  const Shared shared{x, points, bias, y, sizes, relu};
  const Tiles tiles = tiles_of(sizes);
  const int64_t size = tiles_per_block(sizes), blocks = ceil_div(tiles.count, size);
  // with few tiles, threads share a block's panels and each transforms its inputs
  const int64_t threads = pool.workers() + 1;
  const int64_t parts = blocks >= 2 * threads ? 1 : smaller(panels, ceil_div(2 * threads, blocks));
  int failed = 0;
  parallel_for(pool, blocks * parts, [&](int64_t item) {
    const int64_t first = item / parts * size, part = item % parts;
    if (!block(shared, first, smaller(size, tiles.count - first), part * panels / parts, (part + 1) * panels / parts))
      __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
  });
  return failed == 0;
}

bool winograd_input_gradient(Pool& pool, const float* dy, const float* kernel, float* dx, const ConvSizes& sizes) {
  float* turned = static_cast<float*>(scratch(3, 9 * sizes.c * sizes.f * 4));
  if (turned == nullptr) return false;
  turn_kernel(pool, kernel, turned, sizes.c, sizes.f);
  ConvSizes reversed = sizes;
  reversed.h = sizes.oh, reversed.w = sizes.ow, reversed.c = sizes.f;
  reversed.oh = sizes.h, reversed.ow = sizes.w, reversed.f = sizes.c;
  reversed.pad_h = 2 - sizes.pad_h, reversed.pad_w = 2 - sizes.pad_w;
  return winograd_forward(pool, dy, turned, nullptr, dx, reversed, false);
}

bool winograd_possible(const ConvSizes& sizes) {
  return sizes.kh == 3 && sizes.kw == 3 && sizes.stride_h == 1 && sizes.stride_w == 1 && sizes.dilation_h == 1 &&
         sizes.dilation_w == 1 && sizes.groups == 1 && sizes.n > 0 && sizes.h > 0 && sizes.w > 0 && sizes.c > 0 &&
         sizes.f > 0 && sizes.oh > 0 && sizes.ow > 0;
}

// Estimates, in multiply-adds at peak, fitted to 29 shapes on AVX2 (Zen 3), where they are right to a fifth: products
// run at 0.92 of peak here, direct ones at 0.88. In these units a transform costs as much for a channel at any width of
// the vectors, and more where the last vector of channels is not whole.
bool winograd_applies(const ConvSizes& sizes, ConvProduct product) {
  if (!winograd_possible(sizes)) return false;
  const double c = static_cast<double>(sizes.c), f = static_cast<double>(sizes.f);
  const double tiles = static_cast<double>(tiles_of(sizes).count);
  const double outputs = static_cast<double>(sizes.n) * static_cast<double>(sizes.oh) * static_cast<double>(sizes.ow);
  const double transforms = (sizes.c % kWidth ? 1000 : 430) * static_cast<double>(round_up(sizes.c, kWidth)) +
                            (sizes.f % kWidth ? 800 : 350) * static_cast<double>(round_up(sizes.f, kWidth));
  const double kernel = product == ConvProduct::forward ? 500 : 1000;  // turned first, or summed up at last
  return tiles * (39 * c * f + transforms) + kernel * c * f < 9 / 0.88 * outputs * c * f;
}

extern const Winograd winograd;
const Winograd winograd{winograd_applies, winograd_possible, winograd_forward, winograd_input_gradient,
                        winograd_kernel_gradient};

}  // namespace chainrule::CHAINRULE_ISA
