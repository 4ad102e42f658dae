// Every form of operator new and delete, in every combination that the language lets a program write.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <bursar/groups/resource_group_registry.h>
#include <gtest/gtest.h>

#include "unit/groups/registry_probe.h"
#include "unit/interpose/escape.h"
#include "unit/interpose/upstream.h"

namespace bursar {
namespace {

using testing::books_bytes;
using testing::escape;
using testing::fresh_group;

constexpr std::align_val_t kAlignment{128};

struct Form {
  const char* name;
  std::function<void*(std::size_t)> allocate;
  std::vector<std::function<void(void*, std::size_t)>> releases;
};

const std::vector<Form> kForms = {
    {"new",
     [](std::size_t n) { return ::operator new(n); },
     {[](void* p, std::size_t) { ::operator delete(p); }, [](void* p, std::size_t n) { ::operator delete(p, n); },
      [](void* p, std::size_t) { ::operator delete(p, std::nothrow); }}},
    {"nothrow new",
     [](std::size_t n) { return ::operator new(n, std::nothrow); },
     {[](void* p, std::size_t) { ::operator delete(p); }, [](void* p, std::size_t n) { ::operator delete(p, n); },
      [](void* p, std::size_t) { ::operator delete(p, std::nothrow); }}},
    {"aligned new",
     [](std::size_t n) { return ::operator new(n, kAlignment); },
     {[](void* p, std::size_t) { ::operator delete(p, kAlignment); },
      [](void* p, std::size_t n) { ::operator delete(p, n, kAlignment); },
      [](void* p, std::size_t) { ::operator delete(p, kAlignment, std::nothrow); }}},
    {"aligned nothrow new",
     [](std::size_t n) { return ::operator new(n, kAlignment, std::nothrow); },
     {[](void* p, std::size_t) { ::operator delete(p, kAlignment); },
      [](void* p, std::size_t n) { ::operator delete(p, n, kAlignment); },
      [](void* p, std::size_t) { ::operator delete(p, kAlignment, std::nothrow); }}},
    {"new[]",
     [](std::size_t n) { return ::operator new[](n); },
     {[](void* p, std::size_t) { ::operator delete[](p); }, [](void* p, std::size_t n) { ::operator delete[](p, n); },
      [](void* p, std::size_t) { ::operator delete[](p, std::nothrow); }}},
    {"nothrow new[]",
     [](std::size_t n) { return ::operator new[](n, std::nothrow); },
     {[](void* p, std::size_t) { ::operator delete[](p); }, [](void* p, std::size_t n) { ::operator delete[](p, n); },
      [](void* p, std::size_t) { ::operator delete[](p, std::nothrow); }}},
    {"aligned new[]",
     [](std::size_t n) { return ::operator new[](n, kAlignment); },
     {[](void* p, std::size_t) { ::operator delete[](p, kAlignment); },
      [](void* p, std::size_t n) { ::operator delete[](p, n, kAlignment); },
      [](void* p, std::size_t) { ::operator delete[](p, kAlignment, std::nothrow); }}},
    {"aligned nothrow new[]",
     [](std::size_t n) { return ::operator new[](n, kAlignment, std::nothrow); },
     {[](void* p, std::size_t) { ::operator delete[](p, kAlignment); },
      [](void* p, std::size_t n) { ::operator delete[](p, n, kAlignment); },
      [](void* p, std::size_t) { ::operator delete[](p, kAlignment, std::nothrow); }}},
};

TEST(Operators, EveryFormIsChargedOnceAndCreditedOnce) {
  for (const Form& form : kForms) {
    for (std::size_t release = 0; release < form.releases.size(); ++release) {
      for (const std::size_t size : {0U, 1U, 100U, 200'000U}) {
        const ResourceGroupToken owner = fresh_group("owner");
        void* block = nullptr;
        {
          const ResourceTrackingGuard guard = owner.enter();
          block = escape(form.allocate(size));
        }
        ASSERT_NE(block, nullptr) << form.name;
        if (std::string_view(form.name).starts_with("aligned")) {
          EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 128, 0U);
        }
        const ResourceStatsSnapshot charged = testing::without_cpu(owner.stats().totals());
        EXPECT_EQ(charged.allocated_objects, 1U) << form.name;
        EXPECT_EQ(charged.allocated_bytes, books_bytes(block)) << form.name;
        form.releases[release](block, size);
        const ResourceStatsSnapshot credited = testing::without_cpu(owner.stats().totals());
        EXPECT_EQ(credited.deallocated_objects, 1U) << form.name << ", release " << release;
        EXPECT_EQ(credited.live_bytes(), 0U) << form.name << ", release " << release;
        ResourceGroupRegistry::global().retire(owner);
      }
    }
  }
}

TEST(Operators, DeletingNothingDoesNothing) {
  const ResourceGroupToken token = fresh_group();
  const ResourceTrackingGuard guard = token.enter();
  const ResourceStatsSnapshot before = ResourceGroupRegistry::global().totals();
  for (const Form& form : kForms) {
    for (const auto& release : form.releases) release(nullptr, 0);
  }
  EXPECT_EQ(ResourceGroupRegistry::global().totals().deallocated_objects, before.deallocated_objects);
}

TEST(Operators, WithoutMemoryThrowBadAllocOrAnswerNull) {
  const volatile std::size_t most = std::numeric_limits<std::size_t>::max();
  const volatile std::size_t too_much = std::size_t{1} << 60;
  for (const std::size_t size : {static_cast<std::size_t>(most), static_cast<std::size_t>(too_much)}) {
    for (const Form& form : kForms) {
      if (std::string_view(form.name).find("nothrow") != std::string_view::npos) {
        EXPECT_EQ(form.allocate(size), nullptr) << form.name;
      } else {
        EXPECT_THROW(static_cast<void>(form.allocate(size)), std::bad_alloc) << form.name;
      }
    }
  }
}

int handler_calls = 0;

TEST(Operators, WithoutMemoryCallTheNewHandlerUntilItGivesUp) {
  const volatile std::size_t too_much = std::size_t{1} << 60;
  for (const Form& form : kForms) {
    handler_calls = 0;
    const std::new_handler before = std::set_new_handler([] {
      if (++handler_calls == 3) std::set_new_handler(nullptr);
    });
    try {
      EXPECT_EQ(form.allocate(too_much), nullptr) << form.name;
    } catch (const std::bad_alloc&) {
    }
    std::set_new_handler(before);
    EXPECT_EQ(handler_calls, 3) << form.name;
  }
}

TEST(Operators, WhatTheNewHandlerThrowsLeavesThemOrIsNull) {
  const volatile std::size_t too_much = std::size_t{1} << 60;
  const std::new_handler before = std::set_new_handler([] { throw std::bad_alloc(); });
  EXPECT_THROW(static_cast<void>(::operator new(too_much)), std::bad_alloc);
  EXPECT_EQ(::operator new(too_much, std::nothrow), nullptr);
  std::set_new_handler(before);
}

TEST(Operators, OfTheLanguageAndItsLibraryAreCounted) {
  const ResourceGroupToken token = fresh_group();
  const auto live = [&] { return token.stats().totals().live_objects(); };
  {
    const ResourceTrackingGuard guard = token.enter();
    const auto number = std::unique_ptr<int>(escape(new int(7)));
    EXPECT_EQ(live(), 1U);
    const auto array = std::unique_ptr<std::string[]>(escape(new std::string[10]));
    EXPECT_EQ(live(), 2U);
    struct alignas(256) Wide {
      char bytes[256];
    };
    const auto wide = std::make_unique<Wide>();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(escape(wide.get())) % 256, 0U);
    EXPECT_EQ(live(), 3U);
    std::vector<int> numbers(1'000);
    escape(numbers.data());
    EXPECT_EQ(live(), 4U);
  }
  EXPECT_EQ(live(), 0U);
}

}  // namespace
}  // namespace bursar
