#include <bursar/asio/group_executor.h>
#include <bursar/groups/resource_group_registry.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/defer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bursar::asio {
namespace {

namespace net = boost::asio;
using IoExecutor = GroupExecutor<net::io_context::executor_type>;

static_assert(net::execution::is_executor<IoExecutor>::value);
static_assert(net::execution::is_executor<GroupExecutor<net::thread_pool::executor_type>>::value);
static_assert(net::execution::is_executor<GroupExecutor<net::any_io_executor>>::value);
static_assert(net::execution::is_executor<net::strand<IoExecutor>>::value);
static_assert(std::is_convertible_v<IoExecutor, net::any_io_executor>);
static_assert(std::is_convertible_v<net::strand<IoExecutor>, net::any_io_executor>);
static_assert(std::is_nothrow_copy_constructible_v<IoExecutor> && std::is_nothrow_move_constructible_v<IoExecutor>);
static_assert(std::is_nothrow_copy_assignable_v<IoExecutor> && std::is_nothrow_move_assignable_v<IoExecutor>);

ResourceGroupToken group(std::string_view name) {
  return ResourceGroupRegistry::global().register_resource_group(name);
}

const ResourceGroupToken kFirst = group("asio_test.first");
const ResourceGroupToken kSecond = group("asio_test.second");

// Runs all that is posted to `context` and tells in which group each of `submit`'s functions ran.
template <typename Submit>
std::vector<ResourceGroupToken> groups_of(net::io_context& context, Submit submit) {
  std::vector<ResourceGroupToken> groups;
  submit([&groups] { groups.push_back(ResourceGroupToken::current()); });
  context.run();
  return groups;
}

TEST(GroupExecutor, RunsWhatIsPostedDispatchedAndDeferredInItsGroup) {
  net::io_context context;
  const auto executor = in_group(context, kFirst);
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        net::post(executor, note);
                        net::dispatch(executor, note);
                        net::defer(executor, note);
                        net::post(context, note);
                      }),
            (std::vector{kFirst, kFirst, kFirst, ResourceGroupToken::root()}));
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(GroupExecutor, LeavesTheGroupAgainAfterADispatchThatRunsAtOnce) {
  net::io_context context;
  const auto outer = in_group(context, kFirst);
  const auto inner = in_group(context, kSecond);
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        net::post(outer, [=] {
                          note();
                          net::dispatch(inner, note);
                          note();
                        });
                      }),
            (std::vector{kFirst, kSecond, kFirst}));
}

TEST(GroupExecutor, WorksBelowAStrand) {
  net::io_context context;
  const auto strand = net::make_strand(in_group(context, kFirst));
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        net::post(strand, note);
                        net::dispatch(strand, note);
                      }),
            (std::vector{kFirst, kFirst}));
}

TEST(GroupExecutor, WorksAboveAStrand) {
  net::io_context context;
  const auto strand = net::make_strand(context);
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        net::post(in_group(strand, kFirst), note);
                        net::post(in_group(strand, kSecond), note);
                        net::post(strand, note);
                      }),
            (std::vector{kFirst, kSecond, ResourceGroupToken::root()}));
}

TEST(GroupExecutor, KeepsTheOrderOfTheStrandBelow) {
  constexpr int kFunctions = 1000;
  net::thread_pool pool(4);
  const auto executor = in_group(net::make_strand(pool), kFirst);
  std::vector<int> order;  // unsynchronised: the strand has to see to it
  for (int number = 0; number < kFunctions; ++number) {
    net::post(executor, [&order, number] { order.push_back(number); });
  }
  pool.join();
  ASSERT_EQ(order.size(), static_cast<std::size_t>(kFunctions));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(GroupExecutor, KeepsItsGroupInsideAnyIoExecutor) {
  net::io_context context;
  const net::any_io_executor any = in_group(context, kFirst);
  const net::any_io_executor of_any = in_group(net::any_io_executor(context.get_executor()), kSecond);
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        net::post(any, note);
                        net::post(of_any, note);
                        net::post(net::prefer(any, net::execution::outstanding_work.tracked), note);
                        net::post(net::require(any, net::execution::blocking.never), note);
                      }),
            (std::vector{kFirst, kSecond, kFirst, kFirst}));
}

TEST(GroupExecutor, TimersAndSocketsOnItCompleteInItsGroup) {
  net::io_context context;
  const auto executor = in_group(context, kFirst);
  net::steady_timer timer(executor);
  net::ip::udp::socket receiver(executor, net::ip::udp::endpoint(net::ip::address_v4::loopback(), 0));
  net::ip::udp::socket sender(context, net::ip::udp::v4());
  char byte = 0;
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        timer.expires_after(std::chrono::nanoseconds(1));
                        timer.async_wait([=](const auto&) { note(); });
                        receiver.async_receive(net::buffer(&byte, 1), [=](const auto&, std::size_t) { note(); });
                        sender.send_to(net::buffer("x", 1), receiver.local_endpoint());
                      }),
            (std::vector{kFirst, kFirst}));
  EXPECT_EQ(byte, 'x');
}

TEST(GroupExecutor, OfAHandlerWinsOverTheOneOfTheTimer) {
  net::io_context context;
  net::steady_timer timer(in_group(context, kFirst), std::chrono::nanoseconds(1));
  net::steady_timer plain(context, std::chrono::nanoseconds(1));
  EXPECT_EQ(groups_of(context,
                      [&](auto note) {
                        const auto handler = [=](const auto&) { note(); };
                        timer.async_wait(net::bind_executor(in_group(context, kSecond), handler));
                        plain.async_wait(net::bind_executor(in_group(context, kSecond), handler));
                      }),
            (std::vector{kSecond, kSecond}));
}

TEST(GroupExecutor, ATimerOfTypedExecutorCompletesInItsGroup) {
  net::io_context context;
  net::basic_waitable_timer<std::chrono::steady_clock, net::wait_traits<std::chrono::steady_clock>, IoExecutor> timer(
      in_group(context, kFirst), std::chrono::nanoseconds(1));
  EXPECT_EQ(groups_of(context, [&](auto note) { timer.async_wait([=](const auto&) { note(); }); }),
            (std::vector{kFirst}));
}

TEST(GroupExecutor, IsEqualOnlyToOneOfTheSameContextAndGroup) {
  net::io_context context;
  net::io_context other;
  EXPECT_TRUE(in_group(context, kFirst) == in_group(context, kFirst));
  EXPECT_FALSE(in_group(context, kFirst) == in_group(context, kSecond));
  EXPECT_FALSE(in_group(context, kFirst) == in_group(other, kFirst));
  EXPECT_TRUE(net::any_io_executor(in_group(context, kFirst)) == net::any_io_executor(in_group(context, kFirst)));
  EXPECT_FALSE(net::any_io_executor(in_group(context, kFirst)) == net::any_io_executor(context.get_executor()));
}

TEST(GroupExecutor, TellsTheContextAndPropertiesOfItsInnerExecutor) {
  net::io_context context;
  const auto executor = in_group(context, kFirst);
  EXPECT_EQ(&net::query(executor, net::execution::context), &context);
  EXPECT_EQ(net::query(net::require(executor, net::execution::blocking.never), net::execution::blocking),
            net::execution::blocking.never);
  EXPECT_EQ(net::require(executor, net::execution::blocking.never).token(), kFirst);
}

TEST(GroupExecutor, KeepsTheContextBusyWhileItsWorkIsTracked) {
  net::io_context context;
  auto work = net::make_work_guard(in_group(context, kFirst));
  context.poll();
  EXPECT_FALSE(context.stopped());
  work.reset();
  context.poll();
  EXPECT_TRUE(context.stopped());
}

TEST(GroupExecutor, LetsAnExceptionPassAndLeavesTheGroup) {
  net::io_context context;
  net::post(in_group(context, kFirst), [] { throw std::runtime_error("out"); });
  EXPECT_THROW(context.run(), std::runtime_error);
  EXPECT_EQ(ResourceGroupToken::current(), ResourceGroupToken::root());
}

TEST(GroupExecutor, TakesFunctionsThatCanOnlyBeMovedAndEndsThemInTheGroup) {
  struct NoteGroupAtEnd {
    explicit NoteGroupAtEnd(ResourceGroupToken& noted_in) : noted(&noted_in) {}
    NoteGroupAtEnd(const NoteGroupAtEnd&) = delete;
    NoteGroupAtEnd& operator=(const NoteGroupAtEnd&) = delete;
    ~NoteGroupAtEnd() { *noted = ResourceGroupToken::current(); }
    ResourceGroupToken* noted;
  };
  net::io_context context;
  ResourceGroupToken ended_in;
  net::post(in_group(context, kFirst), [last = std::make_unique<NoteGroupAtEnd>(ended_in)] {});
  context.run();
  EXPECT_EQ(ended_in, kFirst);
}

TEST(GroupExecutor, NoThreadOfAPoolStaysInAGroup) {
  constexpr int kFunctions = 4000;
  net::thread_pool pool(4);
  std::atomic<int> right{0};
  for (int number = 0; number < kFunctions; ++number) {
    const auto token = number % 2 == 0 ? kFirst : kSecond;
    net::post(in_group(pool, token), [&right, token] { right += ResourceGroupToken::current() == token ? 1 : 0; });
    net::post(pool, [&right] { right += ResourceGroupToken::current() == ResourceGroupToken::root() ? 1 : 0; });
  }
  pool.join();
  EXPECT_EQ(right, 2 * kFunctions);
}

}  // namespace
}  // namespace bursar::asio
