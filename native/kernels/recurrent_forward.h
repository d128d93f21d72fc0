// Forward through a whole sequence, for any cell.
#pragma once

#include "kernels/recurrent_cells.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

// One piece of work: some rows of the batch, all steps. Its states lie in private memory, a row after the other.
template <class Cell>
class ForwardRows {
 public:
  static constexpr int64_t kRows = tile_rows(Cell::kGates);

  // Floats of packed weights for one vector of units: 4 biases, then the rows of both weights.
  static int64_t panel_size(const Recurrence& run) {
    return (4 + (run.features + run.units) * Cell::kGates) * kWidth;
  }

  static void pack(const RecurrentForward& f, int64_t panel, float* packed) {
    const int64_t units = f.run.units;
    for (int64_t sum = 0; sum < 4; ++sum)
      for (int64_t j = 0; j < kWidth; ++j, ++packed)
        *packed = panel * kWidth + j < units ? Cell::bias_of(f.bias, sum, units, panel * kWidth + j) : 0.0f;
    pack_gates(f.kernel, f.run.features, Cell::kGates, units, panel, packed);
    packed += f.run.features * Cell::kGates * kWidth;
    pack_gates(f.recurrent, units, Cell::kGates, units, panel, packed);
  }

  ForwardRows(const RecurrentForward& f, const float* packed, int64_t first, int64_t count)
      : f_(f), packed_(packed), first_(first), count_(count), groups_(ceil_div(count, kRows)),
        x_stride_(row_stride(f.run.features)), stride_(row_stride(f.run.units)) {}

  bool run() {
    if (!take_memory()) return false;
    const Recurrence& run = f_.run;
    for (int64_t s = 0; s < run.time; ++s) {
      const int64_t t = time_of(run, s);
      gather(t);
      for (int64_t panel = 0; panel * kWidth < run.units; ++panel) {
        add_products(panel);
        finish(panel, t);
      }
      float* const before = h_;
      h_ = next_;
      next_ = before;
      for (int64_t r = 0; r < count_; ++r) {
        float* const to = f_.outputs + ((first_ + r) * run.time + t) * run.units;
        if (started_[r]) copy(to, h_ + r * stride_, run.units);
        else clear(to, run.units);
      }
    }
    for (int64_t r = 0; r < count_; ++r) {
      copy(f_.h + (first_ + r) * run.units, h_ + r * stride_, run.units);
      if (Cell::kHasCell) copy(f_.c + (first_ + r) * run.units, c_ + r * stride_, run.units);
    }
    return true;
  }

 private:
  bool take_memory() {
    const int64_t rows = groups_ * kRows, states = f_.run.dropout != nullptr ? 4 : 3;
    const int64_t floats = rows * (x_stride_ + states * stride_ + 4 * kWidth);
    float* memory = static_cast<float*>(scratch(1, floats * 4 + 2 * rows));
    if (memory == nullptr) return false;
    clear(memory, floats);
    x_ = memory;
    h_ = x_ + rows * x_stride_;
    next_ = h_ + rows * stride_;
    c_ = next_ + rows * stride_;
    sums_ = c_ + rows * stride_;
    seen_ = f_.run.dropout != nullptr ? sums_ + rows * 4 * kWidth : nullptr;
    real_ = reinterpret_cast<bool*>(memory + floats);
    started_ = real_ + rows;
    for (int64_t r = 0; r < rows; ++r) real_[r] = started_[r] = false;
    for (int64_t r = 0; r < count_; ++r) {
      copy(h_ + r * stride_, f_.h0 + (first_ + r) * f_.run.units, f_.run.units);
      if (Cell::kHasCell) copy(c_ + r * stride_, f_.c0 + (first_ + r) * f_.run.units, f_.run.units);
    }
    return true;
  }

  // The inputs of a step side by side; zeros where it is masked, since anything may stand there.
  void gather(int64_t t) {
    const Recurrence& run = f_.run;
    for (int64_t r = 0; r < count_; ++r) {
      real_[r] = is_real(run, first_ + r, t);
      started_[r] |= real_[r];
      const int64_t saved = t * run.batch + first_ + r;
      if (f_.gates != nullptr) fetch_to_write(f_.gates + saved * 4 * run.units, 4 * run.units);
      if (f_.cells != nullptr) fetch_to_write(f_.cells + saved * run.units, run.units);
      if (real_[r]) copy(x_ + r * x_stride_, f_.x + ((first_ + r) * run.time + t) * run.features, run.features);
      else clear(x_ + r * x_stride_, run.features);
      if (!real_[r] && f_.gates != nullptr) clear(f_.gates + saved * 4 * run.units, 4 * run.units);
      if (seen_ == nullptr) continue;
      const float* const dropout = run.dropout + (first_ + r) * run.units;
      for (int64_t j = 0; j < run.units; ++j) seen_[r * stride_ + j] = h_[r * stride_ + j] * dropout[j];
    }
  }

  bool is_live(int64_t group) const {
    for (int64_t r = group * kRows; r < (group + 1) * kRows; ++r)
      if (real_[r]) return true;
    return false;
  }

  // Sums of all gates of one vector of units: a block of weights stays in the cache while all rows pass by.
  void add_products(int64_t panel) {
    const float* const weights = packed_ + panel * panel_size(f_.run);
    for (int64_t row = 0; row < groups_ * kRows; ++row)
      for (int64_t g = 0; g < 4; ++g) store(sums_ + (row * 4 + g) * kWidth, load(weights + g * kWidth));
    const float* const kernel = weights + 4 * kWidth;
    const float* const recurrent = kernel + f_.run.features * Cell::kGates * kWidth;
    add_part<0>(x_, x_stride_, f_.run.features, kernel);
    add_part<1>(seen_ != nullptr ? seen_ : h_, stride_, f_.run.units, recurrent);
  }

  template <int64_t kPart>
  void add_part(const float* rows, int64_t stride, int64_t depth, const float* weights) {
    for (int64_t k = 0; k < depth; k += kDepth)
      for (int64_t group = 0; group < groups_; ++group) {
        if (!is_live(group)) continue;
        float* const sums = sums_ + group * kRows * 4 * kWidth;
        Vec tile[kRows][Cell::kGates];
        for (int64_t r = 0; r < kRows; ++r)
          for (int64_t g = 0; g < Cell::kGates; ++g) tile[r][g] = load(sums + (r * 4 + Cell::sum_of(kPart, g)) * kWidth);
        multiply(tile, rows + group * kRows * stride + k, stride, 1, weights + k * Cell::kGates * kWidth,
                 smaller(kDepth, depth - k));
        for (int64_t r = 0; r < kRows; ++r)
          for (int64_t g = 0; g < Cell::kGates; ++g) store(sums + (r * 4 + Cell::sum_of(kPart, g)) * kWidth, tile[r][g]);
      }
  }

  void finish(int64_t panel, int64_t t) {
    for (int64_t r = 0; r < count_; ++r) {
      float* const sums = sums_ + r * 4 * kWidth;
      Vec gates[4];
      for (int64_t g = 0; g < 4; ++g) gates[g] = load(sums + g * kWidth);
      Cell::activate(gates);
      for (int64_t g = 0; g < 4; ++g) store(sums + g * kWidth, gates[g]);
    }
    const int64_t count = f_.run.units - panel * kWidth;
    if (count >= kWidth) finish_states(panel * kWidth, t, kWidth);
    else finish_states(panel * kWidth, t, count);
  }

  CHAINRULE_INLINE void finish_states(int64_t unit, int64_t t, int64_t count) {
    const int64_t units = f_.run.units, first = t * f_.run.batch + first_;
    const float* sums = sums_;
    float* gates = f_.gates == nullptr ? nullptr : f_.gates + first * 4 * units + unit;
    float* cells = f_.cells == nullptr ? nullptr : f_.cells + first * units + unit;
    float *before = h_ + unit, *after = next_ + unit, *cell = c_ + unit;
    for (int64_t r = 0; r < count_; ++r, sums += 4 * kWidth, before += stride_, after += stride_, cell += stride_) {
      Vec h = load(before), c = load(cell);
      if (real_[r]) {
        Vec z[4];
        for (int64_t g = 0; g < 4; ++g) z[g] = load(sums + g * kWidth);
        Cell::step(z, h, c);
        if (gates != nullptr)
          for (int64_t g = 0; g < 4; ++g) store_first(gates + (r * 4 + g) * units, z[g], count);
        if (Cell::kHasCell) store(cell, c);
      }
      store(after, h);
      if (Cell::kHasCell && cells != nullptr) store_first(cells + r * units, c, count);
    }
  }

  const RecurrentForward& f_;
  const float* packed_;
  int64_t first_, count_, groups_, x_stride_, stride_;
  float *x_ = nullptr, *h_ = nullptr, *next_ = nullptr, *c_ = nullptr, *sums_ = nullptr, *seen_ = nullptr;
  bool *real_ = nullptr, *started_ = nullptr;
};

template <class Cell>
bool forward(Pool& pool, const RecurrentForward& f) {
  const int64_t panels = ceil_div(f.run.units, kWidth), size = ForwardRows<Cell>::panel_size(f.run);
  float* const packed = static_cast<float*>(scratch(0, panels * size * 4));
  if (packed == nullptr) return false;
  parallel_for(pool, panels, [&](int64_t panel) { ForwardRows<Cell>::pack(f, panel, packed + panel * size); });
  const Rows rows = split_rows(f.run.batch, pool.workers() + 1, ForwardRows<Cell>::kRows);
  bool failed = false;
  parallel_for(pool, rows.items, [&](int64_t item) {
    const int64_t first = item * rows.each;
    ForwardRows<Cell> work(f, packed, first, smaller(rows.each, f.run.batch - first));
    if (!work.run()) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  return !__atomic_load_n(&failed, __ATOMIC_RELAXED);
}

}  // namespace chainrule::CHAINRULE_ISA::recurrent
