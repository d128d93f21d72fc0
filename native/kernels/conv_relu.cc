// What stands between the gradient of a layer's result and its convolution: the mask of the ReLU and the bias' sums.
#include "kernels/conv_block.h"
#include "kernels/conv_direct.h"

namespace chainrule::CHAINRULE_ISA::direct {
namespace {

// Rows are summed in at most 64 chunks, whose sums are added in order.
constexpr int64_t kChunks = 64;

Vec masked(Vec dy, Vec y) { return y > Vec{} ? dy : Vec{}; }

void run_rows(const float* dy, const float* y, float* g, float* sums, int64_t rows, int64_t columns) {
  clear_floats(sums, columns);
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * columns;
    int64_t c = 0;
    for (; c + kWidth <= columns; c += kWidth) {
      Vec value = load(dy + at + c);
      if (y != nullptr) {
        value = masked(value, load(y + at + c));
        store(g + at + c, value);
      }
      store(sums + c, load(sums + c) + value);
    }
    for (; c < columns; ++c) {
      float value = dy[at + c];
      if (y != nullptr) {
        value = y[at + c] > 0 ? value : 0;
        g[at + c] = value;
      }
      sums[c] += value;
    }
  }
}

}  // namespace

bool relu_gradient(Pool& pool, const float* dy, const float* y, float* g, float* sums, int64_t rows,
                   int64_t columns) {
  const int64_t chunks = smaller(ceil_div(rows, int64_t{64}), kChunks), pitch = round_up(columns, 16);
  float* parts = static_cast<float*>(scratch(0, chunks * pitch * int64_t{sizeof(float)}));
  if (parts == nullptr) return false;
  parallel_for(pool, chunks, [&](int64_t chunk) {
    const int64_t begin = rows * chunk / chunks, end = rows * (chunk + 1) / chunks, at = begin * columns;
    run_rows(dy + at, y == nullptr ? nullptr : y + at, g == nullptr ? nullptr : g + at, parts + chunk * pitch,
             end - begin, columns);
  });
  for (int64_t c = 0; c < columns; ++c) {
    float sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) sum += parts[chunk * pitch + c];
    sums[c] = sum;
  }
  return true;
}

}  // namespace chainrule::CHAINRULE_ISA::direct
