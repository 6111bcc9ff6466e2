// Labels with probabilities: classify MODEL.linnet TEXT [SECOND_TEXT]
#include <cstdio>

#include "linnet/tasks.h"

int main(int count, char** arguments) {
  if (count != 3 && count != 4) return std::fprintf(stderr, "usage: classify MODEL.linnet TEXT [SECOND_TEXT]\n"), 2;
  auto fail = [](const linnet::Status& status) { return std::fprintf(stderr, "classify: %s\n", status.message()), 1; };
  linnet::Result<linnet::Model> model = linnet::Model::open(arguments[1]);
  if (!model.ok()) return fail(model.status());
  linnet::Result<linnet::Classifier> classifier = linnet::Classifier::create(*model);
  if (!classifier.ok()) return fail(classifier.status());

  std::string_view text = arguments[2], second = count == 4 ? arguments[3] : "";
  std::span<const std::string_view> pairs;
  if (count == 4) pairs = {&second, 1};
  linnet::Result<linnet::Matrix> answer = classifier->classify({&text, 1}, pairs);  // 1 x labels
  if (!answer.ok()) return fail(answer.status());
  for (size_t i = 0; i < classifier->labels(); ++i) {
    std::string_view label = classifier->label(i);
    std::printf("%.4f  %.*s\n", static_cast<double>(answer->row(0)[i]), static_cast<int>(label.size()), label.data());
  }
  return 0;
}
