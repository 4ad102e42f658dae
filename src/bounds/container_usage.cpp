#include <bursar/bounds/container_usage.h>

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace bursar {
namespace {

constexpr std::size_t kMaxSize = std::numeric_limits<std::size_t>::max();
// No block is larger (PTRDIFF_MAX); beyond it only the expression's own overflow matters.
constexpr std::size_t kMaxBlockBytes = kMaxSize / 2;

constexpr std::size_t kTagBytes = 4;

// glibc, malloc/malloc.c: a chunk is the request and its size field, in steps of 16 and at least 32; its user may use
// all but the size field. Chunks from the threshold on may be mapped by themselves, in pages, and then lose two fields.
constexpr std::size_t kChunkFieldBytes = 8;
constexpr std::size_t kChunkStepBytes = 16;
constexpr std::size_t kMinChunkBytes = 32;
constexpr std::size_t kMapThresholdBytes = 128 * 1024;

constexpr std::size_t round_up(std::size_t bytes, std::size_t step) {
  return (bytes + step - 1) / step * step;
}

// `length` x `value_bytes`, or what no block can be.
std::size_t array_bytes(std::size_t length, std::size_t value_bytes) noexcept {
  return length > kMaxBlockBytes / value_bytes ? kMaxBlockBytes : length * value_bytes;
}

// How many buckets a hash table has after `reserve(length)`, at a load factor of 1.
#if defined(__GLIBCXX__)
std::size_t bucket_count(std::size_t length) {
  // The library chooses among primes of its own; asked, it makes no table.
  return std::__detail::_Prime_rehash_policy()._M_next_bkt(length);
}
#else
// The smallest prime from `length` on, as usual elsewhere.
std::size_t bucket_count(std::size_t length) {
  const auto is_prime = [](std::size_t candidate) {
    for (std::size_t divisor = 2; divisor <= candidate / divisor; ++divisor) {
      if (candidate % divisor == 0) return false;
    }
    return true;
  };
  std::size_t prime = std::max<std::size_t>(length, 2);
  while (!is_prime(prime)) ++prime;
  return prime;
}
#endif

}  // namespace

std::size_t charged_block_bytes(std::size_t requested_bytes) noexcept {
  if (requested_bytes >= kMaxBlockBytes) return requested_bytes;
  const std::size_t chunk =
      std::max(round_up(requested_bytes + kTagBytes + kChunkFieldBytes, kChunkStepBytes), kMinChunkBytes);
  if (chunk < kMapThresholdBytes) return chunk - kChunkFieldBytes;
  static const auto kPageBytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return round_up(chunk + kChunkFieldBytes, kPageBytes) - 2 * kChunkFieldBytes;
}

namespace detail {

UsageExpr payload_usage(const std::string& name, std::size_t length, UsageExpr value, std::size_t heap_bytes) {
  UsageExpr values = UsageExpr::product(name + ".values", UsageExpr::config(name + ".len", length), std::move(value));
  const auto payload_bytes = values.evaluate();
  if (!payload_bytes) return values;
  // A short string is kept in the container itself.
  if (heap_bytes == 0 && *payload_bytes != 0) return UsageExpr::constant(name, 0);
  const std::size_t rounding_bytes = heap_bytes > *payload_bytes ? heap_bytes - *payload_bytes : 0;
  return UsageExpr::sum(name, std::move(values), UsageExpr::constant(name + ".rounding", rounding_bytes));
}

UsageExpr node_usage(const std::string& name, std::size_t length, UsageExpr value, std::size_t node_bytes) {
  const std::size_t overhead_bytes = charged_block_bytes(node_bytes) - value.value();
  return UsageExpr::product(
      name, UsageExpr::config(name + ".len", length),
      UsageExpr::sum(name + ".node", std::move(value), UsageExpr::constant(name + ".node_overhead", overhead_bytes)));
}

UsageExpr hash_usage(const std::string& name, std::size_t length, UsageExpr value, std::size_t node_bytes) {
  const std::size_t bucket_bytes =
      length == 0 ? 0 : charged_block_bytes(array_bytes(bucket_count(std::min(length, kMaxBlockBytes)), sizeof(void*)));
  return UsageExpr::sum(name, node_usage(name + ".nodes", length, std::move(value), node_bytes),
                        UsageExpr::constant(name + ".buckets", bucket_bytes));
}

std::size_t vector_heap_bytes(std::size_t length, std::size_t value_bytes) noexcept {
  return length == 0 ? 0 : charged_block_bytes(array_bytes(length, value_bytes));
}

std::size_t bit_vector_heap_bytes(std::size_t length) noexcept {
  constexpr std::size_t kWordBytes = sizeof(unsigned long);
  constexpr std::size_t kWordBits = kWordBytes * 8;
  const std::size_t words = length / kWordBits + (length % kWordBits != 0 ? 1 : 0);
  return vector_heap_bytes(words, kWordBytes);
}

std::size_t string_heap_bytes(std::size_t length, std::size_t value_bytes, std::size_t inline_capacity) noexcept {
  if (length <= inline_capacity) return 0;
  return charged_block_bytes(array_bytes(std::min(length, kMaxBlockBytes) + 1, value_bytes));
}

std::size_t deque_heap_bytes(std::size_t length, std::size_t value_bytes) noexcept {
  // libstdc++: pieces of 512 bytes, or of one value where it is larger, one piece ready for what comes next, and an
  // array of pointers to the pieces with room at both ends.
  constexpr std::size_t kPieceBytes = 512;
  constexpr std::size_t kMinPointers = 8;
  const std::size_t piece_length = value_bytes < kPieceBytes ? kPieceBytes / value_bytes : 1;
  const std::size_t pieces = length / piece_length + 1;
  const std::size_t piece_bytes = charged_block_bytes(piece_length * value_bytes);
  const std::size_t pointers = std::max(kMinPointers, pieces > kMaxSize - 2 ? kMaxSize : pieces + 2);
  const std::size_t pointer_bytes = charged_block_bytes(array_bytes(pointers, sizeof(void*)));
  const std::size_t all_pieces_bytes = array_bytes(pieces, piece_bytes);
  return all_pieces_bytes + std::min(pointer_bytes, kMaxBlockBytes);
}

}  // namespace detail
}  // namespace bursar
