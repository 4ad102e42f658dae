#pragma once

#include <bursar/groups/resource_group_token.h>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/is_executor.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace bursar::asio {

// An Asio executor that runs each function inside a resource group, and otherwise as `Inner` would: on an `io_context`,
// a `thread_pool`, a strand, or an `any_io_executor`; strands, timers, sockets and `any_io_executor` can be made of it
// in turn. A coroutine that is spawned on it is in the group from each resumption to the next suspension, on whichever
// thread, and on whichever executor the operation was that it awaited.
//
// Asio keeps a few small blocks for each thread and hands them out again for the next operation or coroutine frame;
// such a block stays charged to the group that first asked for it. A program that needs those exact, too, is compiled
// with BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING and BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING.
//
// Thread-safety: as Inner, whose functions may be called from any thread. Allocates: as Inner. Blocks: as Inner.
// Cost: a ResourceTrackingGuard for each function that is run.
template <typename Inner>
class GroupExecutor {
 public:
  using inner_executor_type = Inner;

  GroupExecutor(Inner inner, ResourceGroupToken token) noexcept : inner_(std::move(inner)), token_(token) {}

  [[nodiscard]] const Inner& inner_executor() const noexcept { return inner_; }
  [[nodiscard]] ResourceGroupToken token() const noexcept { return token_; }

  template <typename Function>
  void execute(Function&& function) const {
    inner_.execute(InGroup<std::decay_t<Function>>(std::forward<Function>(function), token_));
  }

  // Asio's properties are Inner's; what Inner makes of itself runs in the group as well.
  template <typename Property>
    requires boost::asio::can_query_v<const Inner&, Property>
  [[nodiscard]] decltype(auto) query(const Property& property) const
      noexcept(boost::asio::is_nothrow_query_v<const Inner&, Property>) {
    return boost::asio::query(inner_, property);
  }

  template <typename Property>
    requires boost::asio::can_require_v<const Inner&, Property>
  [[nodiscard]] auto require(const Property& property) const
      noexcept(boost::asio::is_nothrow_require_v<const Inner&, Property>) {
    return with_inner(boost::asio::require(inner_, property));
  }

  template <typename Property>
    requires boost::asio::can_prefer_v<const Inner&, Property>
  [[nodiscard]] auto prefer(const Property& property) const
      noexcept(boost::asio::is_nothrow_prefer_v<const Inner&, Property>) {
    return with_inner(boost::asio::prefer(inner_, property));
  }

  friend bool operator==(const GroupExecutor& left, const GroupExecutor& right) noexcept {
    return left.token_ == right.token_ && left.inner_ == right.inner_;
  }

 private:
  // A function that enters the group, runs, and ends there too.
  template <typename Function>
  class InGroup {
   public:
    template <typename Argument>
    InGroup(Argument&& function, ResourceGroupToken token)
        : function_(std::forward<Argument>(function)), token_(token) {}

    void operator()() {
      const ResourceTrackingGuard guard(token_);
      Function function(std::move(function_));
      std::move(function)();
    }

   private:
    Function function_;
    ResourceGroupToken token_;
  };

  template <typename Other>
  [[nodiscard]] GroupExecutor<std::decay_t<Other>> with_inner(Other&& inner) const noexcept {
    return {std::forward<Other>(inner), token_};
  }

  Inner inner_;
  ResourceGroupToken token_;
};

// `executor`, or the executor of an execution context, inside `token`'s group.
template <typename Executor>
  requires boost::asio::execution::is_executor<Executor>::value
[[nodiscard]] GroupExecutor<Executor> in_group(Executor executor, ResourceGroupToken token) noexcept {
  return {std::move(executor), token};
}

template <typename Context>
  requires std::derived_from<Context, boost::asio::execution_context>
[[nodiscard]] auto in_group(Context& context, ResourceGroupToken token) noexcept {
  return in_group(context.get_executor(), token);
}

}  // namespace bursar::asio
