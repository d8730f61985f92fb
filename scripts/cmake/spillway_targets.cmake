# The rules every target of this project is built by. A folder is a library, named after its path
# (shuffle/merge is spillway_shuffle_merge), and says what it may include by what it links.

find_package(Threads REQUIRED)

add_library(spillway_flags INTERFACE)
target_compile_options(spillway_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 sees ghosts in "literal" + string (PR 105651).
  $<$<NOT:$<BOOL:${SPILLWAY_FUZZ}>>:-Werror>)
if(SPILLWAY_SANITIZE)
  target_compile_options(spillway_flags INTERFACE
    -fsanitize=${SPILLWAY_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(spillway_flags INTERFACE -fsanitize=${SPILLWAY_SANITIZE})
else()
  target_compile_options(spillway_flags INTERFACE
    -fstack-protector-strong $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  target_link_options(spillway_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(SPILLWAY_FUZZ)
  target_compile_options(spillway_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SPILLWAY_REPRODUCIBLE)
  target_compile_options(spillway_flags INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
endif()

# spillway_folder([DEPENDS target...]): the library of the current folder, from all its .cc files
# (or an interface library where there are none).
function(spillway_folder)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" name "spillway_${folder}")
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "main\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${arg_DEPENDS} PRIVATE spillway_flags)
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${arg_DEPENDS})
  endif()
endfunction()

# spillway_test_folder([DEPENDS target...]): one test program from the *_test.cc of the current
# folder of tests/, each test case registered with ctest.
function(spillway_test_folder)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/tests ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" name "${folder}_test")
  file(GLOB sources CONFIGURE_DEPENDS *_test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  # What is tested is optimised; the tests themselves would only take longer to compile.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_link_libraries(${name} PRIVATE
    ${arg_DEPENDS} spillway_test_places spillway_flags GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX "${folder}/" DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT 300)
endfunction()
