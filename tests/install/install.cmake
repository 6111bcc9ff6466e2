# Installs a build, then configures, builds and runs the project in outside/ against what was installed:
#   cmake -DBUILD=... -DSOURCE=... -DSCRATCH=... -DMODEL=... -DWITH_CONVERT=... ... -P install.cmake
include(${SOURCE}/tests/install/run.cmake)

file(REMOVE_RECURSE ${SCRATCH})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${SCRATCH}/prefix)
set(toolchain)
if(TOOLCHAIN)
  set(toolchain -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN})
endif()
# Only the prefix is named: the build folder must not be needed any more.
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE}/tests/install/outside -B ${SCRATCH}/outside -DCMAKE_BUILD_TYPE=Release
  -Dlinnet_DIR=${SCRATCH}/prefix/${LIBDIR}/cmake/linnet -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS} -DWITH_CONVERT=${WITH_CONVERT} ${toolchain})
run(${CMAKE_COMMAND} --build ${SCRATCH}/outside)
run(${EMULATOR} ${SCRATCH}/outside/outside ${SOURCE}/tests/format/data/version1.linnet OUTPUT shape)
set(chat "chat templates\n")
if(DEFINED CHAT_TEMPLATES AND NOT CHAT_TEMPLATES)
  set(chat "this build of the library has no chat templates \\(LINNET_CHAT_TEMPLATES=OFF\\)\n")
endif()
if(NOT shape MATCHES "^1 x 11\n${chat}$")
  message(FATAL_ERROR "the outside program printed: ${shape}")
endif()
if(WITH_CONVERT)
  run(${EMULATOR} ${SCRATCH}/outside/families OUTPUT families)
  if(NOT families MATCHES "bert" OR NOT families MATCHES "llama")
    message(FATAL_ERROR "the installed converter lists: ${families}")
  endif()
endif()
