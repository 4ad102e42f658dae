#include "server/request_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/field.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace bursar::server_detail {
namespace {

constexpr RequestReader::Limits kLimits{.header_bytes = 256, .body_bytes = 1000};

struct Outcome {
  std::vector<std::string> targets;
  unsigned rejected = 0;
  bool pending = false;  // bytes of a request that is not complete
};

// All requests of a connection that says `bytes`, in pieces of `piece` at most.
Outcome read_all(std::string_view bytes, std::size_t piece, RequestReader::Limits limits = kLimits) {
  RequestReader reader(limits);
  Outcome outcome;
  for (;;) {
    const auto progress = reader.advance();
    if (!progress) {
      outcome.rejected = progress.error().status;
      return outcome;
    }
    if (*progress == RequestReader::Progress::Complete) {
      outcome.targets.emplace_back(reader.target());
      reader.start();
      continue;
    }
    if (bytes.empty()) {
      outcome.pending = reader.started();
      return outcome;
    }
    const auto room = reader.prepare();
    EXPECT_GT(room.size(), 0U);
    const std::size_t taken = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), taken);
    reader.commit(taken);
    bytes.remove_prefix(taken);
  }
}

class RequestReaderInPieces : public testing::TestWithParam<std::size_t> {};

TEST_P(RequestReaderInPieces, FindsEveryPipelinedRequest) {
  const Outcome outcome = read_all(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nGET / HTTP/1"
      "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nabcde\r\n1\r\nf\r\n0\r\n\r\n"
      "HEAD /d HTTP/1.0\r\n\r\n",
      GetParam());
  EXPECT_EQ(outcome.targets, (std::vector<std::string>{"/a", "/b", "/c", "/d"}));
  EXPECT_EQ(outcome.rejected, 0U);
  EXPECT_FALSE(outcome.pending);
}

TEST_P(RequestReaderInPieces, IgnoresEmptyLinesBetweenRequests) {
  const Outcome outcome =
      read_all("\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n\r\n", GetParam());
  EXPECT_EQ(outcome.targets, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_FALSE(outcome.pending);
}

TEST_P(RequestReaderInPieces, TakesAHeaderOfExactlyTheLimit) {
  const std::string start = "GET /a HTTP/1.1\r\nHost: x\r\nX: ";
  const std::string padded = start + std::string(kLimits.header_bytes - start.size() - 4, 'p') + "\r\n\r\n";
  ASSERT_EQ(padded.size(), kLimits.header_bytes);
  EXPECT_EQ(read_all(padded, GetParam()).targets.size(), 1U);
}

TEST_P(RequestReaderInPieces, RefusesAHeaderOneByteLonger) {
  const std::string start = "GET /a HTTP/1.1\r\nHost: x\r\nX: ";
  const std::string padded = start + std::string(kLimits.header_bytes - start.size() - 3, 'p') + "\r\n\r\n";
  EXPECT_EQ(read_all(padded, GetParam()).rejected, 431U);
}

TEST_P(RequestReaderInPieces, RefusesManyShortFieldsThatAreTooLongTogether) {
  std::string request = "GET /a HTTP/1.1\r\nHost: x\r\n";
  while (request.size() < 4 * kLimits.header_bytes) {
    request += "A: b\r\n";
  }
  EXPECT_EQ(read_all(request + "\r\n", GetParam()).rejected, 431U);
}

TEST_P(RequestReaderInPieces, RefusesALineWithoutAnEnd) {
  EXPECT_EQ(read_all("GET /" + std::string(1000, 'a'), GetParam()).rejected, 431U);
}

TEST_P(RequestReaderInPieces, RefusesAChunkedBodyOverTheLimit) {
  std::string request = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int chunk = 0; chunk < 11; ++chunk) {
    request += "64\r\n" + std::string(100, 'x') + "\r\n";
  }
  EXPECT_EQ(read_all(request + "0\r\n\r\n", GetParam()).rejected, 413U);
}

TEST_P(RequestReaderInPieces, RefusesAChunkHeaderWithoutAnEnd) {
  const std::string request =
      "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(999, 'n');
  EXPECT_EQ(read_all(request, GetParam()).rejected, 400U);
}

INSTANTIATE_TEST_SUITE_P(EverySplit, RequestReaderInPieces, testing::Values(1, 2, 3, 7, 64, 10'000));

TEST(RequestReader, RefusesABodyThatIsAnnouncedAsTooLong) {
  EXPECT_EQ(read_all("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 10'000).rejected, 413U);
  EXPECT_EQ(read_all("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", 10'000).rejected, 0U);
  EXPECT_EQ(read_all("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 10'000).rejected,
            400U);
}

TEST(RequestReader, RefusesWhatIsNotHttp) {
  for (const std::string_view garbage :
       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "PRI * HTTP/2.0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nbad\x01name: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n"}) {
    EXPECT_EQ(read_all(garbage, 10'000).rejected, 400U) << garbage;
  }
}

TEST(RequestReader, DemandsOneHostFieldOfHttp11Only) {
  EXPECT_EQ(read_all("GET / HTTP/1.1\r\n\r\n", 10'000).rejected, 400U);
  EXPECT_EQ(read_all("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 10'000).rejected, 400U);
  EXPECT_EQ(read_all("GET / HTTP/1.0\r\n\r\n", 10'000).targets.size(), 1U);
}

TEST(RequestReader, TellsThatARequestIsIncomplete) {
  EXPECT_TRUE(read_all("GET / HT", 10'000).pending);
  EXPECT_TRUE(read_all("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", 10'000).pending);
}

TEST(RequestReader, JoinsTheValuesOfARepeatedField) {
  RequestReader reader(kLimits);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\nAccept: a\r\nOther: c\r\naccept: b\r\n\r\n";
  std::memcpy(reader.prepare().data(), request.data(), request.size());
  reader.commit(request.size());
  ASSERT_EQ(reader.advance(), RequestReader::Progress::Complete);
  EXPECT_EQ(reader.field(boost::beast::http::field::accept), "a, b");
}

}  // namespace
}  // namespace bursar::server_detail
