# How every library of Bursar is compiled, and how every test is declared.

find_package(Threads REQUIRED)

# The shims under malloc are linked into executables and shared libraries alike, so everything is position independent;
# only what a header marks as exported is visible.
function(bursar_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# bursar_add_library(<name>): a library `bursar_<name>` with the alias `bursar::<name>` and its headers as a file set.
function(bursar_add_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;LINK" ${ARGN})
  add_library(bursar_${name} ${arg_SOURCES})
  add_library(bursar::${name} ALIAS bursar_${name})
  set_target_properties(bursar_${name} PROPERTIES EXPORT_NAME ${name})
  bursar_compile_options(bursar_${name})
  target_sources(bursar_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${arg_HEADERS})
  target_include_directories(bursar_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(bursar_${name} PUBLIC ${arg_LINK})
endfunction()

# bursar_add_test(<name> SOURCES ... [LINK ...] [PRELOAD <library>]): one executable `<name>`, each of its GoogleTest
# cases a CTest test, which is run with the library preloaded.
function(bursar_add_test name)
  cmake_parse_arguments(arg "" "PRELOAD" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  bursar_compile_options(${name})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  set(environment)
  if(arg_PRELOAD)
    set(environment ENVIRONMENT "LD_PRELOAD=${arg_PRELOAD}")
  endif()
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 300 ${environment})
endfunction()
