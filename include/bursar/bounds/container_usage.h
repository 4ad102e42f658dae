#pragma once

#include <bursar/bounds/container_layout.h>
#include <bursar/bounds/usage_expr.h>

#include <cstddef>
#include <string>

namespace bursar {

// What the ledger charges for a block of `requested_bytes` over glibc's malloc: its usable size, with room for Bursar's
// tag of 4 bytes. From 128 KiB on the whole pages that malloc may map for it. glibc's own 8 bytes before each block are
// not in it, as they are in no figure of a group. Now and then malloc gives 16 bytes more, where a free chunk is a step
// too large.
//
// Thread-safety: yes. Allocates: no. Blocks: no.
[[nodiscard]] std::size_t charged_block_bytes(std::size_t requested_bytes) noexcept;

namespace detail {

// `length` values in one piece or several that take `heap_bytes` altogether.
[[nodiscard]] UsageExpr payload_usage(const std::string& name, std::size_t length, UsageExpr value,
                                      std::size_t heap_bytes);
// The blocks of `length` nodes of `node_bytes`, each with a value in it.
[[nodiscard]] UsageExpr node_usage(const std::string& name, std::size_t length, UsageExpr value,
                                   std::size_t node_bytes);
// The same, and the array of buckets.
[[nodiscard]] UsageExpr hash_usage(const std::string& name, std::size_t length, UsageExpr value,
                                   std::size_t node_bytes);

[[nodiscard]] std::size_t vector_heap_bytes(std::size_t length, std::size_t value_bytes) noexcept;
[[nodiscard]] std::size_t bit_vector_heap_bytes(std::size_t length) noexcept;
[[nodiscard]] std::size_t string_heap_bytes(std::size_t length, std::size_t value_bytes,
                                            std::size_t inline_capacity) noexcept;
[[nodiscard]] std::size_t deque_heap_bytes(std::size_t length, std::size_t value_bytes) noexcept;

}  // namespace detail

// What a standard container of type `Container` with `length` elements is charged for on the heap: the blocks that hold
// its values, nodes and buckets, each as `charged_block_bytes`.
//
// It stands for the container as it is after `reserve(length)`, or made with `length` elements, at the default load
// factor. Grown element by element a vector, a string or an array of buckets may hold twice that, and the old and the
// new one together while it grows. Not in it: the container object itself (`with_single_value`), what the elements hold
// on the heap in turn, and the extra of values aligned to more than 16 bytes. Exact for libstdc++, an estimate for
// other libraries.
//
// The value is a sum or a product with the length as a `Config`, so it can be worked out for other lengths; what does
// not grow evenly (rounding, buckets) is a `Constant` beside it, right for this length.
//
// Thread-safety: yes. Allocates: the expression. Blocks: no.
template <StandardContainer Container>
[[nodiscard]] UsageExpr container_usage(const std::string& name, std::size_t length) {
  using Layout = detail::ContainerLayout<Container>;
  using detail::ContainerShape;
  constexpr std::size_t kValueBytes = sizeof(typename Layout::Value);

  UsageExpr value = UsageExpr::struct_size<typename Layout::Value>(name + ".value");
  if constexpr (Layout::kShape == ContainerShape::Vector) {
    return detail::payload_usage(name, length, value, detail::vector_heap_bytes(length, kValueBytes));
  } else if constexpr (Layout::kShape == ContainerShape::BitVector) {
    return UsageExpr::constant(name, detail::bit_vector_heap_bytes(length));
  } else if constexpr (Layout::kShape == ContainerShape::String) {
    const std::size_t inline_capacity = std::basic_string<typename Layout::Value>().capacity();
    return detail::payload_usage(name, length, value, detail::string_heap_bytes(length, kValueBytes, inline_capacity));
  } else if constexpr (Layout::kShape == ContainerShape::Deque) {
    return detail::payload_usage(name, length, value, detail::deque_heap_bytes(length, kValueBytes));
  } else if constexpr (Layout::kShape == ContainerShape::HashNodes) {
    return detail::hash_usage(name, length, value, sizeof(typename Layout::Node));
  } else {
    return detail::node_usage(name, length, value, sizeof(typename Layout::Node));
  }
}

}  // namespace bursar
