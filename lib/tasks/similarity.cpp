#include "format/model_file.h"
#include "linnet/tasks.h"

namespace linnet {

Status similarity(const Model& model, const Matrix& images, const Matrix& texts, std::span<float> scores) noexcept {
  const schema::Similarity* options = model.file().root().similarity();
  if (!options) return Status::error(Code::unsupported, "the model does not compare pictures and texts");
  if (images.columns != texts.columns)
    return Status::error(Code::invalid_argument, "embeddings of pictures have %zu columns, those of texts %zu", images.columns,
                         texts.columns);
  if (texts.rows != 0 && (scores.size() % texts.rows != 0 || scores.size() / texts.rows != images.rows))
    return Status::error(Code::invalid_argument, "room for %zu scores, expected %zu pictures times %zu texts", scores.size(), images.rows,
                         texts.rows);
  for (size_t i = 0; i < images.rows; ++i)
    for (size_t t = 0; t < texts.rows; ++t) {
      float sum = 0;
      for (size_t c = 0; c < images.columns; ++c) sum += images.row(i)[c] * texts.row(t)[c];
      scores[i * texts.rows + t] = options->scale() * sum + options->bias();
    }
  return {};
}

}  // namespace linnet
