#include "unit/report/exposition.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>
#include <utility>

namespace bursar::test {
namespace {

bool is_name(std::string_view name, bool colons) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) {
    return false;
  }
  return std::ranges::all_of(name, [colons](char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' || (colons && character == ':');
  });
}

class Parser {
 public:
  Parser(std::string_view text, ExpositionFormat format)
      : text_(text), open_metrics_(format == ExpositionFormat::OpenMetrics) {}

  Exposition run() {
    bool ended = false;
    while (!text_.empty()) {
      const std::size_t end = text_.find('\n');
      if (end == std::string_view::npos) {
        error("the last line has no end", text_);
        break;
      }
      const std::string_view line = text_.substr(0, end);
      text_.remove_prefix(end + 1);
      if (ended) {
        error("something after # EOF", line);
      } else if (line == "# EOF") {
        ended = true;
      } else if (line.starts_with("# ")) {
        comment(line.substr(2));
      } else {
        sample(line);
      }
    }
    if (ended != open_metrics_) {
      error(open_metrics_ ? "no # EOF" : "# EOF in Prometheus text", "");
    }
    return std::move(result_);
  }

 private:
  void error(const std::string& what, std::string_view line) {
    result_.errors.push_back(what + ": " + std::string(line));
  }

  void comment(std::string_view line) {
    const std::string keyword = word(line);
    const std::string name = word(line);
    if (!is_name(name, true)) {
      error("not a metric's name", name);
    }
    if (keyword == "HELP") {
      if (!seen_.insert(name).second) {
        error("a family comes twice", name);
      }
      current_ = name;
      result_.families[name].help = std::string(line);
      return;
    }
    if (name != current_) {
      error("not the family that was begun", name);
    }
    Exposition::Family& family = result_.families[name];
    if (!family.samples.empty()) {
      error("told after the first sample", keyword + " " + name);
    }
    if (keyword == "TYPE") {
      family.type = std::string(line);
    } else if (keyword == "UNIT" && open_metrics_) {
      family.unit = std::string(line);
      if (!name.ends_with("_" + family.unit)) {
        error("the name does not end in its unit", name);
      }
    } else {
      error("an unknown keyword", keyword);
    }
  }

  void sample(std::string_view line) {
    Exposition::Sample sample;
    const std::size_t name_end = line.find_first_of("{ ");
    sample.name = std::string(line.substr(0, name_end));
    std::string_view rest = name_end == std::string_view::npos ? std::string_view() : line.substr(name_end);
    if (!is_name(sample.name, true)) {
      error("not a metric's name", line);
      return;
    }
    if (rest.starts_with("{") && !labels(rest, sample)) {
      error("malformed labels", line);
      return;
    }
    if (!rest.starts_with(" ")) {
      error("no value", line);
      return;
    }
    sample.value = std::string(rest.substr(1));
    char* end = nullptr;
    std::strtod(sample.value.c_str(), &end);
    if (sample.value.empty() || *end != '\0') {
      error("not a number", line);
    }
    Exposition::Family& family = result_.families[current_];
    const std::string expected = open_metrics_ && family.type == "counter" ? current_ + "_total" : current_;
    if (sample.name != expected) {
      error("not a sample of " + current_, line);
    }
    if (!series_.insert({sample.name, sample.labels}).second) {
      error("a series comes twice", line);
    }
    family.samples.push_back(std::move(sample));
  }

  static bool labels(std::string_view& rest, Exposition::Sample& sample) {
    rest.remove_prefix(1);
    while (!rest.starts_with("}")) {
      const std::size_t name_end = rest.find("=\"");
      if (name_end == std::string_view::npos || !is_name(rest.substr(0, name_end), false)) {
        return false;
      }
      const std::string name(rest.substr(0, name_end));
      rest.remove_prefix(name_end + 2);
      std::string value;
      for (;;) {
        if (rest.empty()) {
          return false;
        }
        const char character = rest.front();
        rest.remove_prefix(1);
        if (character == '"') {
          break;
        }
        if (character == '\0') {
          return false;
        }
        if (character != '\\') {
          value += character;
          continue;
        }
        if (rest.empty() || std::string_view("\\\"n").find(rest.front()) == std::string_view::npos) {
          return false;
        }
        value += rest.front() == 'n' ? '\n' : rest.front();
        rest.remove_prefix(1);
      }
      if (!sample.labels.emplace(name, std::move(value)).second) {
        return false;
      }
      if (rest.starts_with(",")) {
        rest.remove_prefix(1);
      } else if (!rest.starts_with("}")) {
        return false;
      }
    }
    rest.remove_prefix(1);
    return true;
  }

  static std::string word(std::string_view& line) {
    const std::size_t end = line.find(' ');
    const std::string word(line.substr(0, end));
    line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
    return word;
  }

  std::string_view text_;
  bool open_metrics_;
  std::string current_;
  std::set<std::string> seen_;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> series_;
  Exposition result_;
};

}  // namespace

Exposition Exposition::parse(std::string_view text, ExpositionFormat format) {
  return Parser(text, format).run();
}

std::string Exposition::value_of(const std::string& name, const std::string& label,
                                 const std::string& label_value) const {
  std::map<std::string, std::string> labels;
  if (!label.empty()) {
    labels.emplace(label, label_value);
  }
  for (const auto& [family_name, family] : families) {
    for (const Sample& sample : family.samples) {
      if (sample.name == name && sample.labels == labels) {
        return sample.value;
      }
    }
  }
  return {};
}

}  // namespace bursar::test
