// Counts what a process allocates. Loaded before everything else (LD_PRELOAD), it stands in front
// of malloc and of anonymous mmap, so that Python's, NumPy's, torch's and the kernel's memory is
// seen alike. Bytes are those that the allocator set aside, which may exceed those asked for.
#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

std::atomic<std::int64_t> live{0}, peak{0}, made{0};

void add(std::int64_t bytes) {
  made.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t now = live.fetch_add(bytes) + bytes;
  std::int64_t most = peak.load();
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
}

void* counted(void* memory) {
  if (memory != nullptr) add(static_cast<std::int64_t>(malloc_usable_size(memory)));
  return memory;
}

}  // namespace

extern "C" {

// What is allocated now; the most since `memory_mark`; how many allocations there have been.
std::int64_t memory_live() { return live.load(); }
std::int64_t memory_peak() { return peak.load(); }
std::int64_t memory_made() { return made.load(); }
void memory_mark() { peak.store(live.load()); }

void* malloc(std::size_t size) { return counted(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) { return counted(__libc_calloc(count, size)); }
void* memalign(std::size_t alignment, std::size_t size) {
  return counted(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return counted(__libc_memalign(alignment, size));
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  void* memory = counted(__libc_memalign(alignment, size));
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}
void* realloc(void* old, std::size_t size) {
  const auto before = static_cast<std::int64_t>(malloc_usable_size(old));
  void* memory = __libc_realloc(old, size);
  if (memory == nullptr && size != 0) return nullptr;
  live.fetch_sub(before);
  return counted(memory);
}
void free(void* memory) {
  live.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)));
  __libc_free(memory);
}
void* mmap(void* at, std::size_t size, int protection, int flags, int file, off_t offset) {
  static const auto real = reinterpret_cast<decltype(&mmap)>(dlsym(RTLD_NEXT, "mmap"));
  void* memory = real(at, size, protection, flags, file, offset);
  // A mapping that nobody may touch yet is room set aside, not memory.
  const bool counts = (flags & MAP_ANONYMOUS) != 0 && (protection & PROT_WRITE) != 0;
  if (memory != MAP_FAILED && counts) add(static_cast<std::int64_t>(size));
  return memory;
}
int munmap(void* at, std::size_t size) {
  static const auto real = reinterpret_cast<decltype(&munmap)>(dlsym(RTLD_NEXT, "munmap"));
  const int result = real(at, size);
  if (result == 0) live.fetch_sub(static_cast<std::int64_t>(size));
  return result;
}
}
