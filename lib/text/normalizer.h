// The normalizer: stages that rewrite a text before it is cut into pieces, first the whole input, then each stretch of it.
#pragma once

#include "text/pipeline.h"
#include "text/stretch.h"

namespace linnet::text {

using NormalizerRun = Status (*)(const StageFields& stage, Stretch* stretch) noexcept;
using NormalizerStage = Stage<NormalizerRun>;

class Normalizer {
 public:
  /// Code::corrupt where a stage of the whole input stands behind one that is not.
  Status create(const Stages* tables) noexcept;

  bool changes_input() const noexcept { return input_stages_ > 0; }
  /// What is done to the whole input, before added tokens are looked for in it.
  Status rewrite_input(Stretch* input) const noexcept { return run(0, input_stages_, input); }
  /// What is done to a stretch between added tokens, and to the contents of those that are looked for in such stretches.
  Status rewrite(Stretch* stretch) const noexcept { return run(input_stages_, stages_.size(), stretch); }

 private:
  Status run(size_t begin, size_t end, Stretch* stretch) const noexcept;

  core::Array<NormalizerStage> stages_;
  size_t input_stages_ = 0;
};

// The kinds, by file.
Status normal_form_c(const StageFields&, Stretch* stretch) noexcept;  // normal_form.cpp
Status normal_form_d(const StageFields&, Stretch* stretch) noexcept;
Status normal_form_kc(const StageFields&, Stretch* stretch) noexcept;
Status normal_form_kd(const StageFields&, Stretch* stretch) noexcept;
Status lower_text(const StageFields& stage, Stretch* stretch) noexcept;  // normalizer.cpp
Status lower_input(const StageFields& stage, Stretch* input) noexcept;
Status strip_accents(const StageFields& stage, Stretch* stretch) noexcept;
Status strip_spaces(const StageFields& stage, Stretch* stretch) noexcept;
Status replace_matches(const StageFields& stage, Stretch* stretch) noexcept;
Status prepend_text(const StageFields& stage, Stretch* stretch) noexcept;
Status map_precompiled(const StageFields& stage, Stretch* stretch) noexcept;  // precompiled.cpp
Status check_precompiled(const StageFields& stage) noexcept;
Status clean_for_bert(const StageFields&, Stretch* stretch) noexcept;  // bert_normalizer.cpp
Status space_ideographs(const StageFields&, Stretch* stretch) noexcept;

}  // namespace linnet::text
