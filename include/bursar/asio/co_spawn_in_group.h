#pragma once

#include <bursar/asio/group_executor.h>
#include <bursar/groups/resource_group_token.h>

#include <boost/asio/co_spawn.hpp>

#include <concepts>
#include <utility>

namespace bursar::asio {

// As `boost::asio::co_spawn`, for a coroutine that belongs to a group: `factory()`, which makes the awaitable, is
// called inside the group, and so are all resumptions. The frames are the group's as well, except for those that Asio
// takes from its blocks for reuse (see GroupExecutor).
//
//   co_spawn_in_group(context.get_executor(), token, [&] { return serve(socket); }, boost::asio::detached);
//
// An awaitable that was made outside would carry a frame that belongs to whoever called the coroutine; hence a factory.
// The completion handler runs where it says (`bind_executor`), and inside the group where it says nothing.
//
// Thread-safety: yes. Allocates: the coroutine. Blocks: no.
template <typename Executor, typename Factory, typename CompletionToken>
  requires boost::asio::execution::is_executor<Executor>::value
auto co_spawn_in_group(const Executor& executor, ResourceGroupToken token, Factory&& factory,
                       CompletionToken&& completion) {
  const ResourceTrackingGuard guard(token);
  return boost::asio::co_spawn(in_group(executor, token), std::forward<Factory>(factory),
                               std::forward<CompletionToken>(completion));
}

template <typename Context, typename Factory, typename CompletionToken>
  requires std::derived_from<Context, boost::asio::execution_context>
auto co_spawn_in_group(Context& context, ResourceGroupToken token, Factory&& factory, CompletionToken&& completion) {
  return co_spawn_in_group(context.get_executor(), token, std::forward<Factory>(factory),
                           std::forward<CompletionToken>(completion));
}

}  // namespace bursar::asio
