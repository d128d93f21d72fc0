// XLA takes its whole temporary arena from malloc at every call and gives it back, and glibc asks the kernel for fresh
// zeroed pages each time. Keeping freed memory instead saves up to a tenth of a second of page faults a step.
#include <cstdlib>

#include "chainrule/library.h"

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#endif

// Changes the whole process: one arena, nothing mapped on its own, nothing returned to the system; then `bytes` are
// taken once, asked to lie in huge pages, and freed for later use. Returns 1 where it took effect.
extern "C" CHAINRULE_EXPORT int chainrule_tune_allocator(long long bytes) {
#ifdef __GLIBC__
  const bool set = mallopt(M_ARENA_MAX, 1) && mallopt(M_MMAP_MAX, 0) && mallopt(M_TRIM_THRESHOLD, -1);
  if (!set) return 0;
  if (bytes > 0) {
    void* memory = std::malloc(static_cast<size_t>(bytes));
    if (memory == nullptr) return 0;
    const auto start = (reinterpret_cast<size_t>(memory) + 4095) / 4096 * 4096;
    const auto end = (reinterpret_cast<size_t>(memory) + static_cast<size_t>(bytes)) / 4096 * 4096;
    if (end > start) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
    std::free(memory);
  }
  return 1;
#else
  (void)bytes;
  return 0;
#endif
}
