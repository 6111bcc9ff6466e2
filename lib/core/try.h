// Hand a failure on to the caller.
//   LINNET_TRY(check(x));                        returns its Status unless ok
//   LINNET_ASSIGN(Model model, Model::open(p));  declares from a Result, or returns its Status
#pragma once

#include "linnet/status.h"

#define LINNET_JOIN_(a, b) a##b
#define LINNET_JOIN(a, b) LINNET_JOIN_(a, b)
#define LINNET_TRY(expression)                                    \
  do {                                                            \
    if (::linnet::Status linnet_status = (expression); !linnet_status.ok()) return linnet_status; \
  } while (0)
#define LINNET_ASSIGN(declaration, expression) LINNET_ASSIGN_(LINNET_JOIN(linnet_result_, __LINE__), declaration, expression)
#define LINNET_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                           \
  if (!result.ok()) return std::move(result).status();  \
  declaration = std::move(result.value())
