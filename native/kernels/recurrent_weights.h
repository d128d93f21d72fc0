// Gradients of the weights of a recurrent layer: one product over all steps of all rows at the end.
//
// [x, state before the step, 1]ᵀ d_gates: a sum over time * batch. It is cut into shares and the columns into blocks, by
// the sizes alone; each share is summed in order into memory of its own, and the shares are added in order, so the bits
// do not depend on the threads.
#pragma once

#include "kernels/recurrent_cells.h"

namespace chainrule::CHAINRULE_ISA::recurrent {

class WeightProduct {
 public:
  explicit WeightProduct(const RecurrentWeights& w)
      : w_(w), x_rows_(w.d_kernel != nullptr ? w.run.features : 0),
        rows_(x_rows_ + (w.d_recurrent != nullptr ? w.run.units : 0) + 1), groups_(ceil_div(rows_, kRows)),
        panels_(ceil_div(w.columns, kPanel)), blocks_(ceil_div(panels_, kBlock)), depth_(w.run.time * w.run.batch),
        shares_(larger(1, smaller(ceil_div(8, blocks_), ceil_div(depth_, 512)))),
        share_(ceil_div(depth_, shares_)), chunk_(ceil_div(share_, larger(1, ceil_div(share_, kDepth)))) {}

  bool run(Pool& pool) {
    sums_ = static_cast<float*>(scratch(0, shares_ * share_size() * 4));
    first_real_ = static_cast<int64_t*>(scratch(2, (w_.run.batch + 1) * 8));
    if (sums_ == nullptr || first_real_ == nullptr) return false;
    for (int64_t row = 0; row < w_.run.batch; ++row) first_real_[row] = first_real(w_.run, row);
    bool failed = false;
    parallel_for(pool, shares_ * blocks_, [&](int64_t item) {
      if (!add_share(item / blocks_, item % blocks_)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    });
    if (__atomic_load_n(&failed, __ATOMIC_RELAXED)) return false;
    parallel_for(pool, groups_, [&](int64_t group) { finish(group); });
    return true;
  }

 private:
  static constexpr int64_t kRows = tile_rows(4);
  static constexpr int64_t kPanel = 4 * kWidth;            // columns of a tile
  static constexpr int64_t kTile = kRows * kPanel;         // floats of a tile
  // Floats from one packed group or panel to the next; the 16 spread them over the lines of the cache.
  static constexpr int64_t kGroupStep = kRows * kDepth + 16, kPanelStep = kPanel * kDepth + 16;
  static constexpr int64_t kBlock = 512 / kPanel;          // panels of a block: each block packs the left side anew

  int64_t share_size() const { return panels_ * groups_ * kTile; }
  float* tile(int64_t share, int64_t panel, int64_t group) const {
    return sums_ + share * share_size() + (panel * groups_ + group) * kTile;
  }

  bool add_share(int64_t share, int64_t block) {
    const int64_t first = block * kBlock, last = smaller(panels_, first + kBlock);
    const int64_t left_size = groups_ * kGroupStep, right_size = (last - first) * kPanelStep;
    float* const left = static_cast<float*>(scratch(1, (left_size + right_size + groups_ * kRows) * 4));
    if (left == nullptr) return false;
    float* const right = left + left_size;
    float* const whole = right + right_size;
    clear(tile(share, first, 0), (last - first) * groups_ * kTile);
    const int64_t end = smaller(depth_, (share + 1) * share_);
    for (int64_t k = share * share_; k < end; k += chunk_) {
      const int64_t depth = smaller(chunk_, end - k);
      for (int64_t i = 0; i < depth; ++i) {
        pack_left(k + i, left + i * kRows, whole);
        for (int64_t panel = first; panel < last; ++panel)
          pack_right(k + i, panel, right + (panel - first) * kPanelStep + i * kPanel);
      }
      for (int64_t panel = first; panel < last; ++panel)
        for (int64_t group = 0; group < groups_; ++group)
          add_tile(left + group * kGroupStep, right + (panel - first) * kPanelStep, depth, tile(share, panel, group));
    }
    return true;
  }

  static void add_tile(const float* left, const float* right, int64_t depth, float* sums) {
    Vec tile[kRows][4];
    for (int64_t i = 0; i < kRows * 4; ++i) tile[i / 4][i % 4] = load(sums + i * kWidth);
    multiply(tile, left, 1, kRows, right, depth);
    for (int64_t i = 0; i < kRows * 4; ++i) store(sums + i * kWidth, tile[i / 4][i % 4]);
  }

  // One row of the left side into its place in every group, by way of `whole`.
  void pack_left(int64_t k, float* to, float* whole) const {
    const Recurrence& run = w_.run;
    const int64_t t = k / run.batch, row = k % run.batch;
    if (is_real(run, row, t)) {
      copy(whole, w_.x + (row * run.time + t) * run.features, x_rows_);
      float* const state = whole + x_rows_;
      if (w_.d_recurrent != nullptr) {
        copy(state, state_before(run, w_.outputs, w_.h0, row, time_of(run, t), first_real_[row]), run.units);
        if (run.dropout != nullptr)
          for (int64_t j = 0; j < run.units; ++j) state[j] *= run.dropout[row * run.units + j];
      }
      whole[rows_ - 1] = 1.0f;
      clear(whole + rows_, groups_ * kRows - rows_);
    } else {
      clear(whole, groups_ * kRows);
    }
    for (int64_t group = 0; group < groups_; ++group) copy(to + group * kGroupStep, whole + group * kRows, kRows);
  }

  void pack_right(int64_t k, int64_t panel, float* to) const {
    const float* const from = w_.d_gates + k * 4 * w_.run.units;
    for (int64_t v = 0; v < 4; ++v) {
      const int64_t column = panel * kPanel + v * kWidth, end = column + kWidth;
      if (end <= w_.jump_at) store(to + v * kWidth, load(from + column));
      else if (column >= w_.jump_at && end <= w_.columns) store(to + v * kWidth, load(from + column + w_.jump));
      else
        for (int64_t j = column; j < end; ++j)
          to[j - panel * kPanel] = j >= w_.columns ? 0.0f : from[j < w_.jump_at ? j : j + w_.jump];
    }
  }

  void finish(int64_t group) const {
    const int64_t last = smaller(rows_, (group + 1) * kRows);
    for (int64_t row = group * kRows; row < last; ++row) {
      float* to = w_.d_bias;
      if (row < x_rows_) to = w_.d_kernel + row * w_.columns;
      else if (row < rows_ - 1) to = w_.d_recurrent + (row - x_rows_) * w_.columns;
      for (int64_t column = 0; column < w_.columns; column += kWidth) {
        const int64_t at = (row - group * kRows) * kPanel + column % kPanel;
        Vec sum{};
        for (int64_t share = 0; share < shares_; ++share) sum += load(tile(share, column / kPanel, group) + at);
        store_first(to + column, sum, smaller(kWidth, w_.columns - column));
      }
    }
  }

  const RecurrentWeights& w_;
  int64_t x_rows_, rows_, groups_, panels_, blocks_, depth_, shares_, share_, chunk_;
  float* sums_ = nullptr;
  int64_t* first_real_ = nullptr;
};

inline bool weight_gradients(Pool& pool, const RecurrentWeights& w) { return WeightProduct(w).run(pool); }

}  // namespace chainrule::CHAINRULE_ISA::recurrent
