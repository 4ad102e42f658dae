#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>

namespace bursar::testing {

// Sanitizers keep shadows and quarantines of their own, which says nothing of ours.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

struct ProcessSize {
  std::uint64_t mapped_bytes = 0;
  std::uint64_t resident_bytes = 0;
};

inline ProcessSize process_size() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  unsigned long mapped_pages = 0;
  unsigned long resident_pages = 0;
  const int fields = file == nullptr ? 0 : std::fscanf(file, "%lu %lu", &mapped_pages, &resident_pages);
  if (file != nullptr) std::fclose(file);
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return fields == 2 ? ProcessSize{mapped_pages * page_bytes, resident_pages * page_bytes} : ProcessSize{};
}

}  // namespace bursar::testing
