#pragma once

#include <bursar/report/exposition_format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bursar::test {

// A strict reader of the two text formats, written after their specifications and not after our writer. What does not
// have the form is told in `errors`.
struct Exposition {
  struct Sample {
    std::string name;
    std::map<std::string, std::string> labels;
    std::string value;
  };
  struct Family {
    std::string type;
    std::string help;
    std::string unit;
    std::vector<Sample> samples;
  };

  std::map<std::string, Family> families;
  std::vector<std::string> errors;

  [[nodiscard]] static Exposition parse(std::string_view text, ExpositionFormat format);

  // The value of the sample `name` whose only label is `label`="`value`"; without a label where `label` is empty. Empty
  // where there is no such sample.
  [[nodiscard]] std::string value_of(const std::string& name, const std::string& label = "",
                                     const std::string& label_value = "") const;
};

}  // namespace bursar::test
