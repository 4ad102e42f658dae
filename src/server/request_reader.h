#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bursar::server_detail {

// A body that is read so that the next request can be found, and not kept.
struct DiscardedBody {
  struct value_type {};

  class reader {
   public:
    template <bool IsRequest, typename Fields>
    reader(boost::beast::http::header<IsRequest, Fields>& /*header*/, value_type& /*body*/) noexcept {}
    void init(const boost::optional<std::uint64_t>& /*length*/, boost::beast::error_code& error) { error = {}; }
    template <typename Buffers>
    std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
      error = {};
      return boost::asio::buffer_size(buffers);
    }
    void finish(boost::beast::error_code& error) { error = {}; }
  };
};

// Why a request is not answered by the handler: the status and one line for its sender.
struct Rejection {
  unsigned status;
  std::string reason;
};

// Turns the bytes of one connection into its requests, one after the other. It reads no socket and knows no time.
//
//   reader.start();
//   while (reader.advance() == Progress::NeedMore) reader.commit(read(reader.prepare()));
//
// Thread-safety: belongs to one connection. Allocates: one buffer of `max_header_bytes`, and the fields of a header
// that is no longer than that. Blocks: no.
class RequestReader {
 public:
  enum class Progress : std::uint8_t { NeedMore, Complete };

  struct Limits {
    std::size_t header_bytes;
    std::size_t body_bytes;
  };

  explicit RequestReader(Limits limits);

  // A new request begins. What the last one left over stays.
  void start();
  // Parses what is there. After a rejection nothing more can be read from the connection.
  [[nodiscard]] std::expected<Progress, Rejection> advance();
  // Where the next bytes of the connection go; never empty after NeedMore.
  [[nodiscard]] boost::asio::mutable_buffer prepare() noexcept;
  // REQUIRES: no more than `prepare()` had room for.
  void commit(std::size_t bytes) noexcept { end_ += bytes; }

  // Whether anything of the current request has come.
  [[nodiscard]] bool started() const noexcept { return header_bytes_ != 0 || begin_ != end_; }
  [[nodiscard]] bool header_complete() const { return parser_->is_header_done(); }

  // REQUIRES: header_complete(). The views live until start().
  [[nodiscard]] std::string_view method() const;
  [[nodiscard]] std::string_view target() const;
  [[nodiscard]] bool keep_alive() const { return parser_->keep_alive(); }
  [[nodiscard]] unsigned http_version() const { return parser_->get().version(); }
  [[nodiscard]] bool expects_continue() const;
  // All values of a header field, joined by commas.
  [[nodiscard]] std::string field(boost::beast::http::field name) const;

 private:
  using Parser = boost::beast::http::request_parser<DiscardedBody>;

  void skip_empty_lines() noexcept;
  [[nodiscard]] std::optional<Rejection> check_header() const;
  [[nodiscard]] Rejection rejection(const boost::beast::error_code& error) const;
  [[nodiscard]] Rejection header_too_large() const;

  Limits limits_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t header_bytes_ = 0;  // parsed of this request's header
  std::optional<Parser> parser_;
};

}  // namespace bursar::server_detail
