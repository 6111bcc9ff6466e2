#include <cmath>
#include <cstdio>
#include <new>

#include "core/array.h"
#include "core/memory.h"
#include "core/try.h"
#include "tasks/text_encoder.h"

namespace linnet {

struct Classifier::Impl {
  tasks::TextEncoder encoder;
  core::Array<char> names;            // "LABEL_0" ... of labels that the file does not name, kNameBytes each
  core::Array<float> probabilities;
};

namespace {

constexpr size_t kNameBytes = 32;

void softmax(const float* logits, size_t count, float* out) {
  float top = -INFINITY;
  for (size_t i = 0; i < count; ++i)
    if (logits[i] > top) top = logits[i];
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += std::exp(static_cast<double>(logits[i]) - top);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<float>(std::exp(static_cast<double>(logits[i]) - top) / sum);
}

}  // namespace

Result<Classifier> Classifier::create(const Model& model, const TaskOptions& options) noexcept {
  constexpr std::string_view kRoles[] = {"logits"};
  LINNET_ASSIGN(tasks::TextEncoder encoder, tasks::TextEncoder::create(model, options, kRoles));
  void* memory = core::allocate(sizeof(Impl));
  if (!memory) return Status::error(Code::out_of_memory, "no memory for a classifier");
  Classifier classifier(new (memory) Impl{std::move(encoder), {}, {}});
  size_t count = classifier.labels();
  LINNET_TRY(classifier.impl_->names.resize(count * kNameBytes));
  for (size_t i = 0; i < count; ++i) std::snprintf(classifier.impl_->names.data() + i * kNameBytes, kNameBytes, "LABEL_%zu", i);
  return classifier;
}

Classifier::Classifier(Classifier&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

Classifier::~Classifier() {
  if (impl_) impl_->~Impl();
  core::release(impl_);
}

size_t Classifier::labels() const noexcept { return impl_->encoder.columns(); }
Session& Classifier::session() noexcept { return impl_->encoder.session(); }

std::string_view Classifier::label(size_t i) const noexcept {
  const Model& model = impl_->encoder.model();
  if (i < model.labels()) return model.label(i);
  return i < labels() ? std::string_view(impl_->names.data() + i * kNameBytes) : std::string_view();
}

Result<Matrix> Classifier::classify(std::span<const std::string_view> texts, std::span<const std::string_view> pairs) noexcept {
  LINNET_ASSIGN(Matrix logits, impl_->encoder.run(texts, pairs));
  LINNET_TRY(impl_->probabilities.resize(logits.rows * logits.columns));
  for (size_t i = 0; i < logits.rows; ++i) {
    float* out = impl_->probabilities.data() + i * logits.columns;
    if (logits.columns == 1)
      out[0] = 1 / (1 + std::exp(-logits.row(i)[0]));
    else
      softmax(logits.row(i).data(), logits.columns, out);
  }
  return Matrix{impl_->probabilities.data(), logits.rows, logits.columns};
}

}  // namespace linnet
