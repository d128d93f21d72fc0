// The gradient to the kernel: at each of the 36 points, the product of transformed inputs and transformed output
// gradients, summed over all tiles, and then the transpose of the kernel's transform.
//
// Sums are [point][panel of filters][channel][kPanel], points `plane` floats apart.
#include "kernels/conv_winograd.h"
#include "kernels/conv_winograd_blocks.h"
#include "kernels/conv_winograd_product.h"

namespace chainrule::CHAINRULE_ISA {
namespace {

struct Problem {
  Problem(const float* x, const float* dy, const ConvSizes& sizes)
      : sizes(sizes),
        inputs{x, sizes.h, sizes.w, sizes.c, sizes.c},
        outputs{dy, sizes.oh, sizes.ow, sizes.f, sizes.f},
        tiles(tiles_of(sizes).count),
        row(round_up(sizes.c, kWidth)),
        panels(ceil_div(sizes.f, kPanel)),
        plane(sizes.c * panels * kPanel + kSkew) {}
  const ConvSizes& sizes;
  const Image inputs, outputs;
  const int64_t tiles, row, panels, plane;
};

// Both sides of the products, for up to `tiles` tiles: left [point][tile][row], right [point][panel][tile][kPanel].
struct Sides {
  Sides(const Problem& problem, int64_t tiles)
      : tiles(tiles),
        left_plane(tiles * problem.row + kSkew),
        right_plane(problem.panels * tiles * kPanel + kSkew) {}
  int64_t left_bytes() const { return kPoints * left_plane * 4; }
  int64_t right_bytes() const { return kPoints * right_plane * 4; }
  bool has_memory() const { return left != nullptr && right != nullptr; }
  const int64_t tiles, left_plane, right_plane;
  float *left = nullptr, *right = nullptr;
};

// Transforms the tiles [first, first + count) to the places from `at` on; false where there is no memory.
bool transform(const Problem& problem, const Sides& sides, int64_t first, int64_t count, int64_t at) {
  float* spare = static_cast<float*>(scratch(1, spare_floats(larger(problem.sizes.c, problem.sizes.f)) * 4));
  if (spare == nullptr) return false;
  transform_inputs(problem.inputs, problem.sizes, first, count, spare, sides.left + at * problem.row, problem.row,
                   sides.left_plane);
  transform_output_gradients(problem.outputs, problem.sizes, first, count, spare, sides.right + at * kPanel,
                             sides.tiles * kPanel, sides.right_plane);
  return true;
}

// Multiplies at one point, for one panel, the first `count` tiles; adds to the sums or begins them.
void multiply(const Problem& problem, const Sides& sides, int64_t point, int64_t panel, int64_t count, bool begins,
              float* sums) {
  constexpr int64_t kDepth = 48;  // tiles at a time, so that their rows stay in the level-1 cache
  const bool is_narrow = problem.sizes.f - panel * kPanel <= kWidth;
  const float* left = sides.left + point * sides.left_plane;
  const float* right = sides.right + point * sides.right_plane + panel * sides.tiles * kPanel;
  float* sum = sums + point * problem.plane + panel * problem.sizes.c * kPanel;
  for (int64_t t = 0; t < count; t += kDepth) {
    const auto add = begins && t == 0 ? (is_narrow ? product<1, true, false> : product<2, true, false>)
                                      : (is_narrow ? product<1, true, true> : product<2, true, true>);
    add(problem.sizes.c, left + t * problem.row, problem.row, right + t * kPanel, sum, smaller(kDepth, count - t));
  }
}

// Adds up `chunks` sums, `item` floats apart, for a few channels and a panel of filters, and transforms the totals.
constexpr int64_t kRows = 8;
bool finish_rows(const Problem& problem, const float* sums, int64_t chunks, int64_t item, int64_t c, int64_t panel,
                 float* dkernel) {
  float* total = static_cast<float*>(scratch(1, kPoints * kRows * kPanel * 4));
  if (total == nullptr) return false;
  const ConvSizes& sizes = problem.sizes;
  const int64_t rows = smaller(kRows, sizes.c - c), step = sizes.c * sizes.f;
  for (int64_t chunk = 0; chunk < chunks; ++chunk)
    for (int64_t i = 0; i < kPoints; ++i) {
      const float* part = sums + chunk * item + i * problem.plane + (panel * sizes.c + c) * kPanel;
      float* sum = total + i * kRows * kPanel;
      for (int64_t v = 0; v < rows * kPanel; v += kWidth)
        store(sum + v, chunk ? load(sum + v) + load(part + v) : load(part + v));
    }
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < kPanel && panel * kPanel + v < sizes.f; v += kWidth) {
      const int64_t f = panel * kPanel + v, lanes = smaller(kWidth, sizes.f - f);
      float* target = dkernel + (c + r) * sizes.f + f;
      kernel_gradient_tile([&](int64_t i) { return load(total + (i * kRows + r) * kPanel + v); },
                           [&](int64_t a, int64_t b, Vec g) {
                             float* p = target + (a * 3 + b) * step;
                             lanes == kWidth ? store(p, g) : store_part(p, g, lanes);
                           });
    }
  return true;
}

bool finish(Pool& pool, const Problem& problem, const float* sums, int64_t chunks, int64_t item, float* dkernel) {
  int failed = 0;
  parallel_for(pool, ceil_div(problem.sizes.c, kRows) * problem.panels, [&](int64_t index) {
    if (!finish_rows(problem, sums, chunks, item, index / problem.panels * kRows, index % problem.panels, dkernel))
      __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
  });
  return failed == 0;
}

// Few channels: each thread transforms and multiplies chunks of tiles of its own within its level-2 cache. The chunks'
// sums are added in their order, and they are cut by the sizes alone, never by the number of threads.
bool by_chunks(Pool& pool, const Problem& problem, float* dkernel) {
  constexpr int64_t kMostChunks = 64, kFewestTiles = 64, kBytes = 384 << 10;
  const int64_t wanted = smaller(larger(problem.tiles / kFewestTiles, int64_t{1}), kMostChunks);
  const int64_t size = ceil_div(problem.tiles, wanted), chunks = ceil_div(problem.tiles, size);
  const int64_t room = kBytes / (kPoints * 4 * (problem.row + problem.panels * kPanel));
  const int64_t at_once = smaller(size, larger(smaller(room, int64_t{96}), int64_t{16}));
  const int64_t item = kPoints * problem.plane;
  float* sums = static_cast<float*>(scratch(0, chunks * item * 4));
  if (sums == nullptr) return false;
  int failed = 0;
  parallel_for(pool, chunks, [&](int64_t chunk) {
    Sides sides(problem, at_once);
    sides.left = static_cast<float*>(scratch(2, sides.left_bytes()));
    sides.right = static_cast<float*>(scratch(3, sides.right_bytes()));
    const int64_t last = smaller((chunk + 1) * size, problem.tiles);
    for (int64_t first = chunk * size; first < last; first += at_once) {
      const int64_t count = smaller(at_once, last - first);
      if (!sides.has_memory() || !transform(problem, sides, first, count, 0))
        return __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
      for (int64_t panel = 0; panel < problem.panels; ++panel)
        for (int64_t i = 0; i < kPoints; ++i)
          multiply(problem, sides, i, panel, count, first == chunk * size, sums + chunk * item);
    }
  });
  return failed == 0 && finish(pool, problem, sums, chunks, item, dkernel);
}

// Many channels, whose sums do not fit a level-2 cache: the threads transform a group of tiles, then share out its
// products. 4 MB for a group: with 2 or 8 they are up to a tenth slower, with 16 up to a quarter.
bool by_points(Pool& pool, const Problem& problem, float* dkernel) {
  constexpr int64_t kRun = 8, kFewestTiles = 48, kBytes = 4 << 20;
  const int64_t room = kBytes / (kPoints * 4 * (problem.row + problem.panels * kPanel));
  Sides sides(problem, smaller(larger(room, kFewestTiles), problem.tiles));
  float* sums = static_cast<float*>(scratch(0, kPoints * problem.plane * 4));
  sides.left = static_cast<float*>(scratch(2, sides.left_bytes()));
  sides.right = static_cast<float*>(scratch(3, sides.right_bytes()));
  if (sums == nullptr || !sides.has_memory()) return false;
  int failed = 0;
  for (int64_t first = 0; first < problem.tiles; first += sides.tiles) {
    const int64_t count = smaller(sides.tiles, problem.tiles - first);
    parallel_for(pool, ceil_div(count, kRun), [&](int64_t item) {
      const int64_t at = item * kRun;
      if (!transform(problem, sides, first + at, smaller(kRun, count - at), at))
        __atomic_store_n(&failed, 1, __ATOMIC_RELAXED);
    });
    if (failed) return false;
    parallel_for(pool, kPoints * problem.panels, [&](int64_t item) {
      multiply(problem, sides, item / problem.panels, item % problem.panels, count, first == 0, sums);
    });
  }
  return finish(pool, problem, sums, 1, 0, dkernel);
}

}  // namespace

bool winograd_kernel_gradient(Pool& pool, const float* x, const float* dy, float* dkernel, const ConvSizes& sizes) {
  const Problem problem(x, dy, sizes);
  const bool has_few = sizes.c * sizes.f <= 1024;  // 147 KB of sums; equally fast at 32 x 32
  return has_few ? by_chunks(pool, problem, dkernel) : by_points(pool, problem, dkernel);
}

}  // namespace chainrule::CHAINRULE_ISA
