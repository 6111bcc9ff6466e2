// How near texts are to each other: embed MODEL.linnet TEXT TEXT...
#include <cstdio>
#include <numeric>

#include "linnet/tasks.h"

int main(int count, char** arguments) {
  if (count < 4) return std::fprintf(stderr, "usage: embed MODEL.linnet TEXT TEXT...\n"), 2;
  auto fail = [](const linnet::Status& status) { return std::fprintf(stderr, "embed: %s\n", status.message()), 1; };
  linnet::Result<linnet::Model> model = linnet::Model::open(arguments[1]);
  if (!model.ok()) return fail(model.status());
  linnet::Result<linnet::Embedder> embedder = linnet::Embedder::create(*model);
  if (!embedder.ok()) return fail(embedder.status());

  constexpr int kMost = 64;
  std::string_view texts[kMost];
  size_t number = 0;
  for (int i = 2; i < count && i < kMost + 2; ++i) texts[number++] = arguments[i];
  linnet::Result<linnet::Matrix> vectors = embedder->embed({texts, number});  // one row a text
  if (!vectors.ok()) return fail(vectors.status());

  for (size_t i = 1; i < number; ++i) {
    auto first = vectors->row(0), other = vectors->row(i);
    std::printf("%.4f  %s\n", static_cast<double>(std::inner_product(first.begin(), first.end(), other.begin(), 0.0f)), arguments[i + 2]);
  }
  return 0;
}
