#include "chainrule/pool.h"

#include <sched.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace chainrule {
namespace {

// What the caller and its helpers share. A helper may come to run long after the caller has returned, so the last one
// to leave frees it, and `body` is touched only by those who have claimed an item.
struct Job {
  int64_t count;
  void (*body)(void*, int64_t);
  void* context;
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> done{0};
  std::atomic<int64_t> owners;
};

void work(Job* job) noexcept {
  int64_t finished = 0;
  for (;;) {
    const int64_t i = job->next.fetch_add(1, std::memory_order_relaxed);
    if (i >= job->count) break;
    job->body(job->context, i);
    ++finished;
  }
  if (finished) job->done.fetch_add(finished, std::memory_order_acq_rel);
}

void leave(Job* job) noexcept {
  if (job->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete job;
}

void help(void* data) noexcept {
  Job* job = static_cast<Job*>(data);
  work(job);
  leave(job);
}

// Waits for items others have claimed: by spinning for about 50 microseconds, then by yielding the core.
void wait(const Job& job) noexcept {
  for (int spins = 0; job.done.load(std::memory_order_acquire) < job.count; ++spins) {
    if (spins < 2000) {
#ifdef CHAINRULE_X86
      __builtin_ia32_pause();
#endif
    } else {
      sched_yield();
    }
  }
}

}  // namespace

void run_items(Pool& pool, int64_t count, void (*body)(void*, int64_t), void* context) noexcept {
  const int64_t workers = pool.workers();
  const int64_t helpers = (count - 1 < workers ? count - 1 : workers);
  Job* job = helpers > 0 ? new (std::nothrow) Job : nullptr;
  if (job == nullptr) {  // one item, no pool, or no memory: the caller does it all
    for (int64_t i = 0; i < count; ++i) body(context, i);
    return;
  }
  job->count = count;
  job->body = body;
  job->context = context;
  job->owners.store(helpers + 1, std::memory_order_relaxed);
  for (int64_t i = 0; i < helpers; ++i) pool.schedule(help, job);
  work(job);
  wait(*job);
  leave(job);
}

namespace {

struct Block {
  void* memory = nullptr;
  int64_t bytes = 0;
};

struct Blocks {
  Block block[8];
  ~Blocks() {
    for (Block& one : block) std::free(one.memory);
  }
};

}  // namespace

void* scratch(int slot, int64_t bytes) noexcept {
  static thread_local Blocks blocks;
  if (slot < 0 || slot >= 8 || bytes < 0) return nullptr;
  Block& block = blocks.block[slot];
  if (block.memory == nullptr || block.bytes < bytes) {
    const int64_t size = (bytes + (bytes >> 3) + 64 + 63) / 64 * 64;
    std::free(block.memory);
    block.memory = size > bytes ? std::aligned_alloc(64, static_cast<size_t>(size)) : nullptr;
    block.bytes = block.memory == nullptr ? 0 : size;
  }
  return block.memory;
}

}  // namespace chainrule
