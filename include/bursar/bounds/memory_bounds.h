#pragma once

#include <functional>
#include <memory>
#include <type_traits>

namespace bursar {

class MemoryBoundsBuilder;

// A component whose bounds are found at run time: derive from it to keep components of several types in one container.
//
// Thread-safety: up to the derived class. Allocates: the builder does. Blocks: no.
class MemoryBoundsBase {
 public:
  virtual ~MemoryBoundsBase() = default;
  virtual void specify_bounds(MemoryBoundsBuilder& builder) const = 0;

 protected:
  MemoryBoundsBase() = default;
  MemoryBoundsBase(const MemoryBoundsBase&) = default;
  MemoryBoundsBase& operator=(const MemoryBoundsBase&) = default;
};

namespace detail {

// Leads from what a caller has (a component, or something that points to one) to the component itself; null stays null.
template <typename T>
struct ComponentAccess {
  using Component = T;
  static const Component* get(const T& component) noexcept { return std::addressof(component); }
};
template <typename T>
struct ComponentAccess<T*> {
  using Component = T;
  static const Component* get(T* component) noexcept { return component; }
};
template <typename T, typename Deleter>
struct ComponentAccess<std::unique_ptr<T, Deleter>> {
  using Component = T;
  static const Component* get(const std::unique_ptr<T, Deleter>& component) noexcept { return component.get(); }
};
template <typename T>
struct ComponentAccess<std::shared_ptr<T>> {
  using Component = T;
  static const Component* get(const std::shared_ptr<T>& component) noexcept { return component.get(); }
};
template <typename T>
struct ComponentAccess<std::reference_wrapper<T>> {
  using Component = T;
  static const Component* get(const std::reference_wrapper<T>& component) noexcept {
    return std::addressof(component.get());
  }
};

}  // namespace detail

// What can describe its own memory: a type with `specify_bounds(MemoryBoundsBuilder&)` that can be called on a
// constant, or a reference, a pointer, a `std::unique_ptr`, `std::shared_ptr` or `std::reference_wrapper` of such a
// type.
template <typename T>
concept MemoryBounds = requires(const typename detail::ComponentAccess<std::remove_cvref_t<T>>::Component& component,
                                MemoryBoundsBuilder& builder) { component.specify_bounds(builder); };

}  // namespace bursar
