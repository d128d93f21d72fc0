// peak THREADS [REPEATS]: prints the float32 operations a second of independent multiply-adds that stay in registers,
// the best of the repeats (of about 0.1 s each).
// Built for the machine it runs on (-O3 -march=native), so vectors are as wide as it has them.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));

constexpr int kChains = 12;  // latency 4 or 5 × 2 units needs 8 to 10; 16 registers hold 12 and both factors
constexpr long kRounds = 40'000'000;

float Chains(float start) {
  Vector sums[kChains];
  Vector factor = Vector{} + 0.999999f, term = Vector{} + 1e-6f;
  for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + (start + i);
  for (long round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + term;
  }
  float total = 0;
  for (int i = 0; i < kChains; ++i) total += sums[i][0];
  return total;
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1, repeats = argc > 2 ? std::atoi(argv[2]) : 5;
  double best = 0;
  volatile float sink = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back([&sink, i] { sink = Chains(float(i)); });
    for (auto& thread : threads) thread.join();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
    const double speed = 2.0 * kLanes * kChains * kRounds * count / taken.count();
    if (speed > best) best = speed;
  }
  std::printf("%.0f\n", best);
  return 0;
}
