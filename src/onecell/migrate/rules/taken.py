"""Names that the other framework's modules have taken: what a project calls them instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from onecell.migrate.meaning.survey import Class, Survey
from onecell.migrate.rules.assumptions import Outside
from onecell.migrate.rules.table.lookup import rows_to
from onecell.migrate.rules.table.scan import canonical, other_framework

_MINDSPORE: Final = """
IGNORE_LIST _add_attr _amp_level _auto_prefix _backward_hook _backward_pre_hook _bprop_debug
_cell_backward_hook _cell_backward_pre_hook _cell_tag _cells _check_construct_args
_children_scope_recursive _compile_cache _compile_phase _compiled _complex_call _construct_sig
_create_time _del_attr _dynamic_shape_inputs _exist_names _exist_objs _forward_hook
_forward_pre_hook _id _in_strategy _init_check _init_flag _out_strategy _param_prefix
_parameter_layout_dict _params _params_list _phase _phase_cache _predict _primitives _recompute
_run_construct _scope _self_check _set_scope _shard_fn _user_parameters add_flags
add_flags_recursive arguments_key bprop_debug cast_inputs cell_init_args cell_type cells
cells_and_names check_names check_names_and_refresh_name cls_name compile_and_run compile_cache
compile_phase compiled create_time enable_backward_hook exist_names exist_objs extend_repr
generate_scope get_flags get_func_graph_proto get_inputs get_mixed_precision_type get_parameters
get_scope get_sub_cell global_cells grad_ops_label has_bprop init_parameters_data
insert_child_to_cell insert_param_to_cell is_top_cell jit_config_dict mixed_precision_type
name_cells offload parallel_parameter_merge_net_dict parallel_parameter_name_list param_prefix
parameter_layout_dict parameters_and_names parameters_broadcast_dict parameters_dict phase
phase_cache pipeline_segment pipeline_stage recompute register_backward_pre_hook
register_parameter_forward_hook register_saved_tensors_hooks remove_redundant_parameters
requires_grad run_construct set_boost set_broadcast_flag set_comm_fusion set_data_parallel
set_grad set_inputs set_jit_config set_mixed_precision_type set_train shard to_float
total_instance_count trainable_params untrainable_params update_cell_prefix update_cell_type
update_parameters_name
"""
_TORCH: Final = """
_backward_hooks _backward_pre_hooks _call_impl _compiled_call_impl _forward_hooks
_forward_hooks_always_called _forward_hooks_with_kwargs _forward_pre_hooks
_forward_pre_hooks_with_kwargs _modules _parameters _register_state_dict_hook _slow_forward
_version _wrapped_call_impl add_module bfloat16 call_super_init children cpu cuda double
dump_patches eval extra_repr float get_parameter get_submodule half ipu modules mtia
named_children named_modules named_parameters parameters register_full_backward_hook
register_full_backward_pre_hook register_module register_parameter requires_grad_ set_submodule
share_memory train type xpu zero_grad
"""
TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "mindspore": frozenset(_MINDSPORE.split()),
    "torch": frozenset(_TORCH.split()),
}
"""Framework → attributes of its modules that the other's lack."""

OF_TENSORS: Final = frozenset(
    (
        *("bfloat16", "cpu", "cuda", "data", "double", "float", "half"),
        *("requires_grad", "requires_grad_", "type"),
    )
)
"""Of these, what tensors have as well: of something that nobody knows, such a one is not a module's
for sure."""


def outside_of(surveys: Iterable[Survey], to: str) -> Outside:
    """Return what the files of a project show together about each of them."""
    found = list(surveys)
    modules = _modules([each for one in found for each in one.classes], to)
    own: set[str] = set()
    others: set[str] = set()
    words = {word for one in found for word in one.words}
    for each in (e for one in found for e in one.classes):
        if _is_module(each, modules, to):
            own |= (each.attributes | each.methods) & TAKEN[to]
        else:
            others |= each.attributes | each.methods
    renamed = {}
    for name in sorted(own):
        new = f"{name}_"
        while new in words or new in TAKEN["torch"] | TAKEN["mindspore"]:
            new += "_"
        renamed[name] = new
    layers: dict[str, set[str]] = {}
    for name, path in (each for one in found for each in one.layers):
        layers.setdefault(name, set()).add(canonical(path))
    return Outside(
        modules=modules,
        renamed=renamed,
        others=frozenset(others & own),
        layers={name: frozenset(paths) for name, paths in layers.items()},
        taken=frozenset(name for one in found for name in one.taken),
    )


def _modules(classes: list[Class], to: str) -> frozenset[str]:
    """Return the names of the classes that are modules, wherever they are defined.

    Of classes of one name all have to be; one may derive from another of that name, through a file
    that has it by another: `from accessors import Dynamic as Accessor`.
    """
    by_name: dict[str, list[Class]] = {}
    for each in classes:
        by_name.setdefault(each.name, []).append(each)

    def those(among: frozenset[str], enough: Callable[[Iterator[bool]], bool]) -> frozenset[str]:
        return frozenset(
            name
            for name, group in by_name.items()
            if enough(_is_module(each, among, to) for each in group)
        )

    modules: frozenset[str] = frozenset()
    while not (more := those(modules, any)) <= modules:
        modules |= more
    while (fewer := those(modules, all)) != modules:
        modules = fewer
    return modules


def _is_module(each: Class, modules: frozenset[str], to: str) -> bool:
    source = other_framework(to)
    rows = rows_to(to, "onecell")
    for base in each.bases:
        if base.startswith((f"{source}.", f"onecell.{source}.")):
            row = rows.get(canonical(base))
            if row is not None and row.gives in ("module", "layer", "modules", "cell"):
                return True
        elif base.rpartition(".")[2] in modules:
            return True
    return False
