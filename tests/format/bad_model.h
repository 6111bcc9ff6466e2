// A matrix of models that are wrong in one place: each must be refused with the right code and by the culprit's name.
#pragma once

#include <doctest/doctest.h>

#include "format/open_model.h"
#include "format/tiny_models.h"

namespace linnet::tests {

struct BadModel {
  const char* what;
  void (*bend)(TinyModel&);
  Code code;
  const char* culprit;  // part of the sentence
};

template <size_t N>
void check_refused(TinyModel (*make)(), const BadModel (&cases)[N]) {
  for (const BadModel& wrong : cases) {
    INFO(std::string(wrong.what));
    TinyModel model = make();
    wrong.bend(model);
    const Bytes file = model.file();
    const Outcome outcome = open_outcome(file);
    CHECK_MESSAGE(outcome.code == wrong.code, outcome.message);
    CHECK_MESSAGE(contains(outcome.message, wrong.culprit), outcome.message);
    CHECK_MESSAGE(contains(outcome.message, "model in memory: "), outcome.message);
    // Reading instead of mapping refuses the same.
    CHECK(open_outcome(file, {.map = false}).message == outcome.message);
  }
}

}  // namespace linnet::tests
