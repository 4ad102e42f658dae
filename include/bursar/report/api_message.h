#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bursar {

// What a handler is told of a request. The views live as long as the call.
//
// Thread-safety: a plain value. Allocates: no. Blocks: no.
struct ApiRequest {
  std::string_view method;  // "GET"
  std::string_view target;  // path and query as they came: "/metrics?x=1"
  std::string_view accept;  // the Accept header, empty where there was none
};

// What a handler answers.
//
// Thread-safety: a plain value. Allocates: its strings. Blocks: no.
struct ApiResponse {
  unsigned status = 200;
  std::string content_type;
  // Empty in the answer to HEAD, where `content_length` tells how long the one to GET would be.
  std::string body;
  std::optional<std::size_t> content_length;
  // Further header fields, name and value: `Allow` in a 405.
  std::vector<std::pair<std::string, std::string>> headers;
};

// Answers requests; may be called by several threads at once. An exception out of it is answered with 500.
using ApiHandler = std::function<ApiResponse(const ApiRequest&)>;

}  // namespace bursar
