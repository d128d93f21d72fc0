// Backward through a whole sequence, for any cell: gradients of the gates' sums and of the initial state.
#pragma once

#include "kernels/recurrent_cells.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

template <class Cell>
class BackwardRows {
 public:
  static constexpr int64_t kRows = tile_rows(4);

  BackwardRows(const RecurrentBackward& b, const float* packed, int64_t first, int64_t count)
      : b_(b), packed_(packed), first_(first), count_(count), groups_(ceil_div(count, kRows)),
        columns_(Cell::kGates * b.run.units), gate_stride_(row_stride(columns_)), stride_(row_stride(b.run.units)) {}

  bool run() {
    if (!take_memory()) return false;
    const Recurrence& run = b_.run;
    for (int64_t s = run.time - 1; s >= 0; --s) {
      for (int64_t r = 0; r < count_; ++r) {
        real_[r] = is_real(run, first_ + r, time_of(run, s));
        if (real_[r]) step_back(r, s);
        else carry(r, s);
      }
      add_products();
    }
    for (int64_t r = 0; r < count_; ++r) {
      const int64_t at = (first_ + r) * run.units;
      copy(b_.d_h0 + at, dh_ + r * stride_, run.units);
      if (Cell::kHasCell) copy(b_.d_c0 + at, dc_ + r * stride_, run.units);
      if (run.dropout != nullptr) copy(b_.d_dropout + at, d_dropout_ + r * stride_, run.units);
    }
    return true;
  }

 private:
  bool take_memory() {
    const int64_t rows = groups_ * kRows, units = b_.run.units, states = b_.run.dropout != nullptr ? 5 : 2;
    const int64_t floats = rows * (gate_stride_ + states * stride_);
    float* memory = static_cast<float*>(scratch(1, floats * 4 + rows * 9));
    if (memory == nullptr) return false;
    clear(memory, floats);
    d_gates_ = memory;
    dh_ = d_gates_ + rows * gate_stride_;
    dc_ = dh_ + rows * stride_;
    if (b_.run.dropout != nullptr) {
      dropout_ = dc_ + rows * stride_;
      before_ = dropout_ + rows * stride_;
      d_dropout_ = before_ + rows * stride_;
    }
    first_real_ = reinterpret_cast<int64_t*>(memory + floats);
    real_ = reinterpret_cast<bool*>(first_real_ + rows);
    for (int64_t r = 0; r < rows; ++r) real_[r] = false;
    for (int64_t r = 0; r < count_; ++r) {
      const int64_t at = (first_ + r) * units;
      first_real_[r] = first_real(b_.run, first_ + r);
      copy(dh_ + r * stride_, b_.d_h + at, units);
      if (Cell::kHasCell) copy(dc_ + r * stride_, b_.d_c + at, units);
      if (dropout_ != nullptr) copy(dropout_ + r * stride_, b_.run.dropout + at, units);
    }
    return true;
  }

  // A masked step gives its output's gradient to the last real one before it; where there is none its output is zero.
  void carry(int64_t r, int64_t s) {
    const Recurrence& run = b_.run;
    const int64_t row = first_ + r, t = time_of(run, s);
    if (s > first_real_[r]) {
      const float* const d_output = b_.d_outputs + (row * run.time + t) * run.units;
      for (int64_t j = 0; j < run.units; ++j) dh_[r * stride_ + j] += d_output[j];
    }
    clear(d_gates_ + r * gate_stride_, columns_);
    clear(b_.d_gates + (t * run.batch + row) * 4 * run.units, 4 * run.units);
  }

  // Where one row's arrays of a step begin.
  struct Step {
    const float *gates, *cells, *c_before, *h_before, *d_outputs;
    float *d_gates, *to_product, *dh, *dc;
  };

  void step_back(int64_t r, int64_t s) {
    const Recurrence& run = b_.run;
    const int64_t units = run.units, row = first_ + r, t = time_of(run, s), saved = t * run.batch + row;
    Step step{};
    step.gates = b_.gates + saved * 4 * units;
    step.d_gates = b_.d_gates + saved * 4 * units;
    step.d_outputs = b_.d_outputs + (row * run.time + t) * units;
    step.h_before = state_before(run, b_.outputs, b_.h0, row, s, first_real_[r]);
    step.to_product = d_gates_ + r * gate_stride_;
    step.dh = dh_ + r * stride_;
    step.dc = dc_ + r * stride_;
    if (Cell::kHasCell) {
      step.cells = b_.cells + saved * units;
      step.c_before = s == 0 ? b_.c0 + row * units : b_.cells + (time_of(run, s - 1) * run.batch + row) * units;
    }
    if (before_ != nullptr) copy(before_ + r * stride_, step.h_before, units);
    if (s > 0) fetch_step(row, s - 1);
    int64_t unit = 0;
    for (; unit + kWidth <= units; unit += kWidth) step_back_vector(step, units, unit, kWidth);
    if (unit < units) step_back_vector(step, units, unit, units - unit);
  }

  static CHAINRULE_INLINE void step_back_vector(const Step step, int64_t units, int64_t unit, int64_t count) {
    Vec gates[4], c{}, c_before{}, h_before{};
    for (int64_t g = 0; g < 4; ++g) gates[g] = load_first(step.gates + g * units + unit, count);
    if (Cell::kHasCell) {
      c = load_first(step.cells + unit, count);
      c_before = load_first(step.c_before + unit, count);
    }
    if (Cell::kReadsState) h_before = load_first(step.h_before + unit, count);
    Vec dh = load(step.dh + unit) + load_first(step.d_outputs + unit, count);
    Vec dc = load(step.dc + unit);
    Cell::step_back(gates, dh, dc, c, c_before, h_before);
    store(step.dh + unit, dh);
    if (Cell::kHasCell) store(step.dc + unit, dc);
    for (int64_t g = 0; g < 4; ++g) store_first(step.d_gates + g * units + unit, gates[g], count);
    for (int64_t g = 0; g < Cell::kGates; ++g)
      store_first(step.to_product + g * units + unit, gates[Cell::column_of(g)], count);
  }

  void fetch_step(int64_t row, int64_t s) const {
    const Recurrence& run = b_.run;
    const int64_t t = time_of(run, s), saved = t * run.batch + row;
    fetch_to_write(b_.gates + saved * 4 * run.units, 4 * run.units);
    fetch(b_.d_outputs + (row * run.time + t) * run.units, run.units);
    if (Cell::kHasCell && s > 0) fetch(b_.cells + (time_of(run, s - 1) * run.batch + row) * run.units, run.units);
  }

  bool is_live(int64_t group) const {
    for (int64_t r = group * kRows; r < (group + 1) * kRows; ++r)
      if (real_[r]) return true;
    return false;
  }

  void add_products() {
    const int64_t units = b_.run.units;
    for (int64_t unit = 0; unit < units; unit += 4 * kWidth) {
      const float* const panel = packed_ + unit * columns_;
      switch (smaller(4, ceil_div(units - unit, kWidth))) {
        case 1: add_panel<1>(panel, unit); break;
        case 2: add_panel<2>(panel, unit); break;
        case 3: add_panel<3>(panel, unit); break;
        default: add_panel<4>(panel, unit);
      }
    }
  }

  // dh += dropout * (d_gates Uᵀ), and the dropout's own gradient, for up to 4 vectors of units.
  template <int64_t kVectors>
  void add_panel(const float* panel, int64_t unit) {
    for (int64_t k = 0; k < columns_; k += kDepth)
      for (int64_t group = 0; group < groups_; ++group) {
        if (!is_live(group)) continue;
        Vec sums[kRows][kVectors] = {};
        multiply(sums, d_gates_ + group * kRows * gate_stride_ + k, gate_stride_, 1, panel + k * kVectors * kWidth,
                 smaller(kDepth, columns_ - k));
        for (int64_t r = 0; r < kRows; ++r)
          for (int64_t v = 0; v < kVectors; ++v) {
            const int64_t at = (group * kRows + r) * stride_ + unit + v * kWidth;
            Vec sum = sums[r][v];
            if (dropout_ != nullptr) {
              store(d_dropout_ + at, load(d_dropout_ + at) + sum * load(before_ + at));
              sum *= load(dropout_ + at);
            }
            store(dh_ + at, load(dh_ + at) + sum);
          }
      }
  }

  const RecurrentBackward& b_;
  const float* packed_;
  int64_t first_, count_, groups_, columns_, gate_stride_, stride_;
  float *d_gates_ = nullptr, *dh_ = nullptr, *dc_ = nullptr;
  float *dropout_ = nullptr, *before_ = nullptr, *d_dropout_ = nullptr;
  int64_t* first_real_ = nullptr;
  bool* real_ = nullptr;
};

template <class Cell>
bool backward(Pool& pool, const RecurrentBackward& b) {
  const int64_t columns = Cell::kGates * b.run.units;
  float* const packed = static_cast<float*>(scratch(0, round_up(b.run.units, kWidth) * columns * 4));
  if (packed == nullptr) return false;
  parallel_for(pool, ceil_div(b.run.units, 4 * kWidth), [&](int64_t panel) {
    pack_transposed(b.recurrent, columns, b.run.units, panel, packed + panel * 4 * kWidth * columns);
  });
  const Rows rows = split_rows(b.run.batch, pool.workers() + 1, BackwardRows<Cell>::kRows);
  bool failed = false;
  parallel_for(pool, rows.items, [&](int64_t item) {
    const int64_t first = item * rows.each;
    BackwardRows<Cell> work(b, packed, first, smaller(rows.each, b.run.batch - first));
    if (!work.run()) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
  });
  return !__atomic_load_n(&failed, __ATOMIC_RELAXED);
}

}  // namespace chainrule::CHAINRULE_ISA::recurrent
