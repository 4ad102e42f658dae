#pragma once

#include <cstddef>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <queue>
#include <set>
#include <stack>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace bursar::detail {

// How a container keeps its values: in what blocks, and with what beside them.
enum class ContainerShape { Vector, BitVector, String, Deque, Nodes, HashNodes };

// Room for a value, as nodes have it: its size and alignment without its construction.
template <typename Value>
struct ValueRoom {
  alignas(Value) std::byte bytes[sizeof(Value)];
};

template <typename Value, std::size_t kLinks>
struct LinkedNode {
  void* links[kLinks];
  ValueRoom<Value> value;
};

template <typename Value>
struct HashNode {
  void* next;
  ValueRoom<Value> value;
};

template <typename Value>
struct HashNodeWithHash {
  void* next;
  ValueRoom<Value> value;
  std::size_t hash;
};

// Whether the nodes keep the hash of their key. libstdc++ decides by key and hash function; the answer is the last
// argument of its iterators, `Iterator<Value, is_constant, keeps_hash>`. Where they look different, the larger node is
// assumed.
template <typename Iterator>
struct KeepsHash {
  static constexpr bool kValue = true;
};
template <template <typename, bool, bool> typename Iterator, typename Value, bool kIsConstant, bool kKeepsHash>
struct KeepsHash<Iterator<Value, kIsConstant, kKeepsHash>> {
  static constexpr bool kValue = kKeepsHash;
};

template <typename T, ContainerShape kContainerShape>
struct BlockLayout {
  static constexpr ContainerShape kShape = kContainerShape;
  using Value = T;
};

template <typename T, std::size_t kLinks>
struct NodeLayout : BlockLayout<T, ContainerShape::Nodes> {
  using Node = LinkedNode<T, kLinks>;
};

template <typename Container>
struct HashLayout : BlockLayout<typename Container::value_type, ContainerShape::HashNodes> {
  using Node =
      std::conditional_t<KeepsHash<typename Container::const_iterator>::kValue,
                         HashNodeWithHash<typename Container::value_type>, HashNode<typename Container::value_type>>;
};

// Three pointers and the colour.
inline constexpr std::size_t kTreeNodeLinks = 4;

template <typename Container>
struct ContainerLayout;

template <typename T, typename A>
struct ContainerLayout<std::vector<T, A>> : BlockLayout<T, ContainerShape::Vector> {};
template <typename A>
struct ContainerLayout<std::vector<bool, A>> : BlockLayout<bool, ContainerShape::BitVector> {};
template <typename C, typename T, typename A>
struct ContainerLayout<std::basic_string<C, T, A>> : BlockLayout<C, ContainerShape::String> {};
template <typename T, typename A>
struct ContainerLayout<std::deque<T, A>> : BlockLayout<T, ContainerShape::Deque> {};
template <typename T, typename A>
struct ContainerLayout<std::list<T, A>> : NodeLayout<T, 2> {};
template <typename T, typename A>
struct ContainerLayout<std::forward_list<T, A>> : NodeLayout<T, 1> {};

template <typename T, typename C, typename A>
struct ContainerLayout<std::set<T, C, A>> : NodeLayout<T, kTreeNodeLinks> {};
template <typename T, typename C, typename A>
struct ContainerLayout<std::multiset<T, C, A>> : NodeLayout<T, kTreeNodeLinks> {};
template <typename K, typename V, typename C, typename A>
struct ContainerLayout<std::map<K, V, C, A>> : NodeLayout<std::pair<const K, V>, kTreeNodeLinks> {};
template <typename K, typename V, typename C, typename A>
struct ContainerLayout<std::multimap<K, V, C, A>> : NodeLayout<std::pair<const K, V>, kTreeNodeLinks> {};

template <typename T, typename H, typename E, typename A>
struct ContainerLayout<std::unordered_set<T, H, E, A>> : HashLayout<std::unordered_set<T, H, E, A>> {};
template <typename T, typename H, typename E, typename A>
struct ContainerLayout<std::unordered_multiset<T, H, E, A>> : HashLayout<std::unordered_multiset<T, H, E, A>> {};
template <typename K, typename V, typename H, typename E, typename A>
struct ContainerLayout<std::unordered_map<K, V, H, E, A>> : HashLayout<std::unordered_map<K, V, H, E, A>> {};
template <typename K, typename V, typename H, typename E, typename A>
struct ContainerLayout<std::unordered_multimap<K, V, H, E, A>> : HashLayout<std::unordered_multimap<K, V, H, E, A>> {};

// An adaptor takes what the container below it takes.
template <typename T, typename Container>
struct ContainerLayout<std::stack<T, Container>> : ContainerLayout<Container> {};
template <typename T, typename Container>
struct ContainerLayout<std::queue<T, Container>> : ContainerLayout<Container> {};
template <typename T, typename Container, typename Compare>
struct ContainerLayout<std::priority_queue<T, Container, Compare>> : ContainerLayout<Container> {};

}  // namespace bursar::detail

namespace bursar {

// The containers of the standard library that keep their elements on the heap, and the adaptors over them.
template <typename Container>
concept StandardContainer = requires { typename detail::ContainerLayout<Container>::Value; };

}  // namespace bursar
