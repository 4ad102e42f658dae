#include "unit/alloc/torture.h"

#include <gtest/gtest.h>

#include "unit/interpose/malloc_api.h"

namespace bursar {
namespace {

TEST(Torture, OverTheProcesssOwnMallocTheBooksAgreeToTheByte) {
  testing::MallocApi api;
  testing::TortureOptions options = testing::TortureOptions::from_environment(1'000'000);
  options.is_alone = false;  // GoogleTest and the threads themselves allocate, too
  testing::Torture(api, options).run();
}

}  // namespace
}  // namespace bursar
