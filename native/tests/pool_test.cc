// The pool runs each item once, from inside its own threads too, and scratch memory is aligned, kept and per thread.
#include "harness.h"

#include <atomic>

#include "chainrule/checked.h"

using namespace chainrule;
using namespace chainrule::testing;

namespace {

void test_each_item_runs_once(int threads, int64_t count) {
  ThreadPool pool(threads);
  std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
  parallel_for(pool, count, [&](int64_t i) { runs[static_cast<size_t>(i)]++; });
  for (int64_t i = 0; i < count; ++i)
    EXPECT(runs[static_cast<size_t>(i)] == 1, "item %lld ran %d times", static_cast<long long>(i), runs[static_cast<size_t>(i)].load());
}

void test_nested_work_ends(int threads) {
  ThreadPool pool(threads);
  std::atomic<int> total{0};
  parallel_for(pool, 8, [&](int64_t) { parallel_for(pool, 8, [&](int64_t) { total++; }); });
  EXPECT(total == 64, "%d", total.load());
}

void test_many_callers_share_one_pool() {
  ThreadPool pool(4);
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 1000; ++round) parallel_for(pool, 5, [&](int64_t i) { total += i; });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT(total == 8 * 1000 * 10, "%lld", static_cast<long long>(total.load()));
}

void test_scratch() {
  float* first = static_cast<float*>(scratch(0, 1000));
  EXPECT(first != nullptr && reinterpret_cast<uintptr_t>(first) % 64 == 0, "not aligned");
  EXPECT(scratch(1, 1000) != first, "slots share memory");
  EXPECT(scratch(0, 500) == first, "a smaller request moves");
  EXPECT(scratch(8, 1) == nullptr && scratch(-1, 1) == nullptr && scratch(0, -1) == nullptr, "bad requests");
  EXPECT(scratch(2, int64_t{1} << 60) == nullptr, "an exabyte");
  EXPECT(scratch(2, 64) != nullptr, "unusable after a refusal");
  void* other = nullptr;
  std::thread([&] { other = scratch(0, 1000); }).join();
  EXPECT(other != first, "threads share memory");
}

void test_sizes_tell_of_overflow() {
  const int64_t most = INT64_MAX;
  EXPECT(!fits(Size(most) * 2) && !fits(Size(most) + 1) && !fits(Size(-most) - 2), "overflow unnoticed");
  EXPECT(!fits(Size(int64_t{1} << 32) * (int64_t{1} << 32) * 0), "an overflow is forgotten");
  EXPECT(!fits(Size(-1)) && fits(Size(0)) && fits(Size(1 << 20) * 1024) && !fits(Size(kMostElements) + 1), "limits");
}

}  // namespace

int main() {
  for (int threads : {1, 2, 4, 8})
    for (int64_t count : {0, 1, 2, 7, 1000}) test_each_item_runs_once(threads, count);
  for (int threads : {1, 2, 4}) test_nested_work_ends(threads);
  test_many_callers_share_one_pool();
  test_scratch();
  test_sizes_tell_of_overflow();
  return finish("pool", 0);
}
