#include <bursar/limiter/limiter_event.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace bursar {
namespace {

LimiterEvent event(LimiterEventKind kind, std::string message = {}) {
  return {.time = {},
          .kind = kind,
          .before = LimiterState::Normal,
          .state = LimiterState::Soft,
          .usage_bytes = std::uint64_t{61} << 20,
          .limit_bytes = std::uint64_t{64} << 20,
          .backoff = std::chrono::microseconds(2500),
          .freed_bytes = 4096,
          .message = std::move(message)};
}

TEST(LimiterEventTest, EachKindIsDescribedInOneLine) {
  EXPECT_EQ(describe(event(LimiterEventKind::StateChanged)),
            "state normal -> soft, 61 MiB of 64 MiB (95.3 %), back-off 2.5 ms");
  EXPECT_EQ(describe(event(LimiterEventKind::SensorFailing, "a file: Permission denied")),
            "no figure from a file: Permission denied; its last good one counts for a while");
  EXPECT_EQ(describe(event(LimiterEventKind::SensorLost, "a file: Permission denied")),
            "no figure from a file: Permission denied; it does not count until it answers again");
  EXPECT_EQ(describe(event(LimiterEventKind::SensorRecovered, "a file")), "figures again from a file");
  EXPECT_EQ(
      describe(event(LimiterEventKind::Purged)),
      "the allocator was asked for its free memory and gave 4 KiB back, 61 MiB of 64 MiB (95.3 %), back-off 2.5 ms");
  EXPECT_EQ(describe(event(LimiterEventKind::Reclaimed, "cache")),
            "cache gave 4 KiB back, 61 MiB of 64 MiB (95.3 %), back-off 2.5 ms");
  EXPECT_EQ(describe(event(LimiterEventKind::MemoryStall)),
            "tasks stall for lack of memory, 61 MiB of 64 MiB (95.3 %), back-off 2.5 ms");
  EXPECT_EQ(describe(event(LimiterEventKind::Notice, "beware")), "beware");
}

TEST(LimiterEventTest, AnUnknownUsageIsSaidToBe) {
  LimiterEvent blind = event(LimiterEventKind::StateChanged);
  blind.usage_bytes.reset();
  blind.backoff = {};
  EXPECT_EQ(describe(blind), "state normal -> soft, usage unknown, limit 64 MiB");
}

TEST(EventRecordTest, EventsAreNumberedAndKeptInTheirOrder) {
  EventRecord record;
  EXPECT_EQ(record.last_sequence(), 0u);
  EXPECT_TRUE(record.since(0).empty());
  record.add(event(LimiterEventKind::Notice, "first"));
  record.add(event(LimiterEventKind::Notice, "second"));
  const std::vector<LimiterEvent> events = record.since(0);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].sequence, 1u);
  EXPECT_EQ(events[0].message, "first");
  EXPECT_EQ(events[1].sequence, 2u);
  EXPECT_EQ(record.last_sequence(), 2u);
}

TEST(EventRecordTest, OnlyWhatIsNewIsGiven) {
  EventRecord record;
  for (int i = 0; i < 5; ++i) record.add(event(LimiterEventKind::Notice));
  EXPECT_EQ(record.since(3).size(), 2u);
  EXPECT_TRUE(record.since(5).empty());
  EXPECT_TRUE(record.since(99).empty());
}

TEST(EventRecordTest, TheOldestGoWhenThereAreTooMany) {
  EventRecord record;
  for (std::size_t i = 0; i < EventRecord::kCapacity + 10; ++i) record.add(event(LimiterEventKind::Notice));
  const std::vector<LimiterEvent> events = record.since(0);
  ASSERT_EQ(events.size(), EventRecord::kCapacity);
  EXPECT_EQ(events.front().sequence, 11u);
  EXPECT_EQ(events.back().sequence, EventRecord::kCapacity + 10);
}

}  // namespace
}  // namespace bursar
