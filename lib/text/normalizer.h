// The normalizer: stages that rewrite a stretch of text before it is cut into pieces.
#pragma once

#include "text/pipeline.h"
#include "text/stretch.h"

namespace linnet::text {

using NormalizerRun = Status (*)(const StageFields& stage, Stretch* stretch) noexcept;
using NormalizerStage = Stage<NormalizerRun>;

Status read_normalizer(const Stages* tables, core::Array<NormalizerStage>* stages) noexcept;
inline Status normalize(const core::Array<NormalizerStage>& stages, Stretch* stretch) noexcept {
  for (const NormalizerStage& stage : stages) LINNET_TRY(stage.run(stage, stretch));
  return {};
}

// The kinds, by file.
Status normal_form_c(const StageFields&, Stretch* stretch) noexcept;  // normal_form.cpp
Status normal_form_d(const StageFields&, Stretch* stretch) noexcept;
Status normal_form_kc(const StageFields&, Stretch* stretch) noexcept;
Status normal_form_kd(const StageFields&, Stretch* stretch) noexcept;
Status lower_text(const StageFields&, Stretch* stretch) noexcept;  // normalizer.cpp
Status strip_accents(const StageFields& stage, Stretch* stretch) noexcept;
Status strip_spaces(const StageFields& stage, Stretch* stretch) noexcept;
Status replace_matches(const StageFields& stage, Stretch* stretch) noexcept;
Status prepend_text(const StageFields& stage, Stretch* stretch) noexcept;
Status map_precompiled(const StageFields& stage, Stretch* stretch) noexcept;  // precompiled.cpp
Status check_precompiled(const StageFields& stage) noexcept;
Status clean_for_bert(const StageFields&, Stretch* stretch) noexcept;  // bert_normalizer.cpp
Status space_ideographs(const StageFields&, Stretch* stretch) noexcept;

}  // namespace linnet::text
