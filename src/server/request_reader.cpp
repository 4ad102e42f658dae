#include "server/request_reader.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace bursar::server_detail {

namespace http = boost::beast::http;

RequestReader::RequestReader(Limits limits) : limits_(limits), buffer_(std::max<std::size_t>(limits.header_bytes, 64)) {
  start();
}

void RequestReader::start() {
  parser_.emplace();
  parser_->body_limit(limits_.body_bytes);
  // The parser applies its limit to each part of a header alone; `check_header()` counts all of it.
  parser_->header_limit(
      static_cast<std::uint32_t>(std::min<std::size_t>(buffer_.size() + 1, std::numeric_limits<std::uint32_t>::max())));
  header_bytes_ = 0;
}

std::expected<RequestReader::Progress, Rejection> RequestReader::advance() {
  if (header_bytes_ == 0) {
    skip_empty_lines();
  }
  while (!parser_->is_done()) {
    if (begin_ == end_) {
      return Progress::NeedMore;
    }
    const bool in_header = !parser_->is_header_done();
    boost::beast::error_code error;
    const std::size_t parsed = parser_->put(boost::asio::buffer(buffer_.data() + begin_, end_ - begin_), error);
    begin_ += parsed;
    if (error && error != http::error::need_more) {
      return std::unexpected(rejection(error));
    }
    if (in_header) {
      header_bytes_ += parsed;
      if (auto refused = check_header()) {
        return std::unexpected(*std::move(refused));
      }
    }
    if (error == http::error::need_more || parsed == 0) {
      if (begin_ == 0 && end_ == buffer_.size()) {
        return std::unexpected(parser_->is_header_done() ? Rejection{400, "malformed chunk in the body"}
                                                         : header_too_large());
      }
      return Progress::NeedMore;
    }
  }
  return Progress::Complete;
}

boost::asio::mutable_buffer RequestReader::prepare() noexcept {
  if (begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return boost::asio::buffer(buffer_.data() + end_, buffer_.size() - end_);
}

std::string_view RequestReader::method() const {
  const auto method = parser_->get().method_string();
  return {method.data(), method.size()};
}

std::string_view RequestReader::target() const {
  const auto target = parser_->get().target();
  return {target.data(), target.size()};
}

bool RequestReader::expects_continue() const {
  const auto expect = parser_->get()[http::field::expect];
  return http_version() >= 11 && boost::beast::iequals(expect, "100-continue");
}

std::string RequestReader::field(http::field name) const {
  std::string joined;
  const auto [first, last] = parser_->get().equal_range(name);
  for (auto field = first; field != last; ++field) {
    if (!joined.empty()) {
      joined += ", ";
    }
    joined.append(field->value().data(), field->value().size());
  }
  return joined;
}

// Empty lines before a request line are to be ignored (RFC 9112, 2.2).
void RequestReader::skip_empty_lines() noexcept {
  while (begin_ != end_ && (buffer_[begin_] == '\r' || buffer_[begin_] == '\n')) {
    ++begin_;
  }
}

std::optional<Rejection> RequestReader::check_header() const {
  const std::size_t rest = parser_->is_header_done() ? 0 : end_ - begin_;
  if (header_bytes_ + rest > limits_.header_bytes) {
    return header_too_large();
  }
  if (!parser_->is_header_done()) {
    return std::nullopt;
  }
  const auto hosts = parser_->get().count(http::field::host);
  if (http_version() >= 11 && hosts != 1) {
    return Rejection{400, hosts == 0 ? "no Host field, which HTTP/1.1 requires" : "more than one Host field"};
  }
  return std::nullopt;
}

Rejection RequestReader::rejection(const boost::beast::error_code& error) const {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return header_too_large();
  }
  if (error == http::error::body_limit) {
    return {413, "body longer than " + std::to_string(limits_.body_bytes) + " bytes"};
  }
  return {400, "not an HTTP/1.1 request: " + error.message()};
}

Rejection RequestReader::header_too_large() const {
  return {431, "header longer than " + std::to_string(limits_.header_bytes) + " bytes"};
}

}  // namespace bursar::server_detail
