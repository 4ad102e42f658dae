// Whatever a component or a group is called: what is reported parses, and names it.

#include <bursar/base/utf8.h>
#include <bursar/registry/component_registry.h>
#include <bursar/report/resource_api_handler.h>
#include <bursar/report/table.h>

#include "unit/report/exposition.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bursar {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kNasty[] = {
    "\"", "\\", "\n",      "\r", "\t", "\x1b[31m",         "<script>", "</script>", "\xff", "\xc3",
    "}",  "{",  "# EOF\n", "ä",  "🧺", "\xf4\x90\x80\x80", "'",        "&",         "\x7f"};

// A segment of a name: any bytes but the dot, and now and then what is known to hurt.
rc::Gen<std::string> segment() {
  const auto byte = rc::gen::map(rc::gen::distinctFrom(rc::gen::arbitrary<char>(), '.'),
                                 [](char character) { return std::string(1, character); });
  const auto nasty = rc::gen::map(rc::gen::inRange<std::size_t>(0, std::size(kNasty)),
                                  [](std::size_t index) { return std::string(kNasty[index]); });
  const auto pieces = rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(byte, nasty)));
  return rc::gen::map(pieces, [](const std::vector<std::string>& parts) {
    std::string joined;
    for (const std::string& part : parts) {
      joined += part;
    }
    return joined.substr(0, 100);
  });
}

rc::Gen<std::string> component_name() {
  const auto segments = rc::gen::resize(3, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(segment())));
  return rc::gen::map(segments, [](const std::vector<std::string>& parts) {
    std::string name;
    for (const std::string& part : parts) {
      name += (name.empty() ? "" : ".") + part;
    }
    return name == "root" || name.starts_with("root.") ? "x" + name : name;
  });
}

// As a label shows it.
std::string label_of(const std::string& name) {
  std::string label = to_valid_utf8(name);
  for (std::size_t at = label.find('\0'); at != std::string::npos; at = label.find('\0', at)) {
    label.replace(at, 1, "\uFFFD");
  }
  return label;
}

void collect_names(const Json& component, std::set<std::string>& names) {
  names.insert(component.at("full_name").get<std::string>());
  for (const Json& subcomponent : component.at("subcomponents")) {
    collect_names(subcomponent, names);
  }
}

RC_GTEST_PROP(Names, ComeBackFromEveryRoute, ()) {
  const ComponentRegistry registry;
  const auto names = *rc::gen::resize(5, rc::gen::container<std::vector<std::string>>(component_name()));
  for (const std::string& name : names) {
    registry.get_or_create(name).bounds_builder().minimum().with_fixed_amount(name, 7);
  }
  const ResourceApiHandler handler(registry.root());

  const Json status = Json::parse(handler.handle("GET", "/memory/status").body);
  const Json bounds = Json::parse(handler.handle("GET", "/bounds").body);
  std::set<std::string> bound_names;
  for (const Json& bound : bounds) {
    bound_names.insert(bound.at("name").get<std::string>());
  }
  std::set<std::string> tree_names;
  collect_names(Json::parse(handler.handle("GET", "/resources").body).at("root"), tree_names);

  for (const std::string& name : names) {
    RC_ASSERT(status.contains(to_valid_utf8(name)));
    RC_ASSERT(bound_names.contains("root." + to_valid_utf8(name) + ".min"));
    RC_ASSERT(tree_names.contains(to_valid_utf8(name)));
  }
  for (const char* accept : {"", "application/openmetrics-text"}) {
    const auto response = handler.handle("GET", "/metrics", accept);
    const auto metrics = test::Exposition::parse(response.body, negotiate_exposition_format(accept));
    RC_ASSERT(metrics.errors == std::vector<std::string>());
    for (const std::string& name : names) {
      RC_ASSERT(metrics.value_of("bursar_component_minimum_required_bytes", "component", label_of(name)) != "");
    }
  }
}

RC_GTEST_PROP(Names, BreakNoTable, ()) {
  const ComponentRegistry registry;
  const auto names = *rc::gen::resize(5, rc::gen::container<std::vector<std::string>>(component_name()));
  for (const std::string& name : names) {
    registry.get_or_create(name).bounds_builder().minimum().with_fixed_amount("a", 7);
  }
  const auto report = take_resource_report(registry.root(), ProcessSensor());
  const auto width = *rc::gen::inRange<std::size_t>(80, 201);
  for (const std::string& line : render_table(report, {.width = width, .colours = false})) {
    RC_ASSERT(std::ranges::none_of(
        line, [](char character) { return static_cast<unsigned char>(character) < 0x20 || character == 0x7f; }));
    RC_ASSERT(to_valid_utf8(line) == line);
  }
}

}  // namespace
}  // namespace bursar
