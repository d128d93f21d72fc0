// The frame of the kernel tests: a pool of plain threads, buffers whose edges are guarded, random numbers, one way to
// fail. A test file is a plain main() that returns the number of failures; see CMakeLists.txt.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <mutex>
#include <thread>
#include <vector>

#include "chainrule/isa.h"
#include "chainrule/pool.h"

namespace chainrule::testing {

// Threads that run scheduled tasks in turn; as many as asked for beside the caller.
class ThreadPool final : public Pool {
 public:
  explicit ThreadPool(int threads) {
    for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { serve(); });
  }
  ~ThreadPool() override {
    {
      std::lock_guard<std::mutex> hold(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  int64_t workers() const override { return static_cast<int64_t>(threads_.size()); }
  void schedule(void (*task)(void*), void* data) noexcept override {
    {
      std::lock_guard<std::mutex> hold(mutex_);
      tasks_.push_back({task, data});
    }
    wake_.notify_one();
  }

 private:
  struct Task {
    void (*task)(void*);
    void* data;
  };
  void serve() {
    for (;;) {
      std::unique_lock<std::mutex> hold(mutex_);
      wake_.wait(hold, [this] { return closing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const Task next = tasks_.front();
      tasks_.pop_front();
      hold.unlock();
      next.task(next.data);
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

// `count` floats that end right before an unreadable page, or begin right after one, filled with 0xCD bytes, and set
// off by `misaligned` floats from a 64-byte boundary as far as the guard allows. Reading or writing one float beyond
// the guarded edge ends the program.
class Guarded {
 public:
  enum class Edge { end, start };
  explicit Guarded(int64_t count, Edge edge = Edge::end) : count_(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    inner_ = (bytes + page - 1) / page * page + (bytes == 0 ? page : 0);
    mapped_ = inner_ + 2 * page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED) std::abort();
    std::memset(base_ + page, 0xCD, inner_);
    mprotect(base_, page, PROT_NONE);
    mprotect(base_ + page + inner_, page, PROT_NONE);
    char* first = edge == Edge::start ? base_ + page : base_ + page + inner_ - bytes;
    data_ = reinterpret_cast<float*>(first);
  }
  ~Guarded() { munmap(base_, mapped_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  float* data() { return data_; }
  const float* data() const { return data_; }
  int64_t size() const { return count_; }
  float& operator[](int64_t i) { return data_[i]; }
  float operator[](int64_t i) const { return data_[i]; }

 private:
  int64_t count_;
  size_t inner_, mapped_;
  char* base_;
  float* data_;
};

// A small generator with the same numbers everywhere (xorshift64*).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint64_t bits() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Du;
  }
  int64_t between(int64_t low, int64_t high) {  // both included
    return low + static_cast<int64_t>(bits() % static_cast<uint64_t>(high - low + 1));
  }
  float uniform() { return static_cast<float>(bits() >> 40) * (2.0f / 16777216.0f) - 1.0f; }  // [-1, 1)
  template <class Array>
  void fill(Array& array, int64_t count) {
    for (int64_t i = 0; i < count; ++i) array[i] = uniform();
  }

 private:
  uint64_t state_;
};

// Largest |found - wanted| over the largest |wanted| (over 1 where all are 0); infinite where one is not finite.
template <class Found, class Wanted>
double relative_error(const Found& found, const Wanted& wanted, int64_t count) {
  double largest = 0, off = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double difference = std::fabs(static_cast<double>(found[i]) - static_cast<double>(wanted[i]));
    if (!(difference <= 1e300)) return INFINITY;
    off = std::fmax(off, difference);
    largest = std::fmax(largest, std::fabs(static_cast<double>(wanted[i])));
  }
  return off / (largest > 0 ? largest : 1);
}

inline int& failures() {
  static int count = 0;
  return count;
}

// Counts and prints a failure; prints at most 20.
#define EXPECT(condition, ...)                              \
  do {                                                      \
    if (!(condition)) {                                     \
      if (++::chainrule::testing::failures() <= 20) {       \
        std::printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
        std::printf(__VA_ARGS__);                           \
        std::printf("\n");                                  \
      }                                                     \
    }                                                       \
  } while (0)

// Every instruction set that this machine can run, for loops over them.
inline std::vector<Isa> isas() {
  std::vector<Isa> found;
  for (Isa isa : {Isa::portable, Isa::avx2, Isa::avx512})
    if (select_isa(isa)) found.push_back(isa);
  return found;
}

// How many random shapes a test tries: the first argument, or the variable CHAINRULE_SHAPES, or `standard`.
inline int64_t shapes(int argc, char** argv, int64_t standard) {
  if (argc > 1) return std::atoll(argv[1]);
  const char* wanted = std::getenv("CHAINRULE_SHAPES");
  return wanted != nullptr ? std::atoll(wanted) : standard;
}

inline int finish(const char* name, int64_t tried) {
  std::printf("%s: %lld shapes, %d failures\n", name, static_cast<long long>(tried), failures());
  return failures() == 0 ? 0 : 1;
}

}  // namespace chainrule::testing
