"""What can go wrong with a trace, or with a file that holds one."""

_CONTRADICTIONS: dict[str, tuple[str, str]] = {
    "node_id": ("the node at place {place} has the id {id}", "{place}번째 자리에 있는 노드의 id가 {id}입니다"),
    "edge_nowhere": (
        "edge {edge} joins nodes {source} and {target}, and one of them does not exist",
        "{edge}번 간선이 잇는 노드 {source}, {target} 가운데 없는 노드가 있습니다",
    ),
    "edge_backwards": (
        "edge {edge} runs backwards, from node {source} to node {target}",
        "{edge}번 간선이 노드 {source}에서 노드 {target}(으)로 거꾸로 갑니다",
    ),
    "edge_output": (
        "edge {edge} starts at output {output} of node {source}, which has {count}",
        "{edge}번 간선이 노드 {source}의 출력 {output}에서 시작하지만 출력은 {count}개입니다",
    ),
    "edge_input": (
        "edge {edge} ends at input {input} of node {target}, a negative number",
        "{edge}번 간선의 끝이 노드 {target}의 입력 {input}(음수)입니다",
    ),
    "edge_twice": ("two edges end at input {input} of node {target}", "간선 두 개가 노드 {target}의 같은 입력 {input}에서 끝납니다"),
    "outputs": (
        "node {node} has {outputs} outputs, {gradients} gradients and {seeds} seeds",
        "노드 {node}의 출력은 {outputs}개, 기울기는 {gradients}개, 시작 기울기는 {seeds}개입니다",
    ),
    "order_missing": ("the {order} order names node {node}, which does not exist", "{order} 순서에 없는 노드 {node}이(가) 있습니다"),
    "order_twice": ("the {order} order names node {node} twice", "{order} 순서에 노드 {node}이(가) 두 번 나옵니다"),
    "module_twice": ("module {module!r} is listed twice", "모듈 {module!r}이(가) 두 번 나옵니다"),
    "module_parent": (
        "module {module!r} has the parent {parent!r}, which is not listed",
        "모듈 {module!r}의 상위 모듈 {parent!r}이(가) 목록에 없습니다",
    ),
    "module_circle": ("module {module!r} stands inside itself", "모듈 {module!r}이(가) 자기 안에 들어 있습니다"),
    "module_depth": ("module {module!r} stands more than {most} modules deep", "모듈 {module!r}이(가) {most}단계보다 깊이 들어 있습니다"),
    "node_module": (
        "node {node} belongs to module {module!r}, which is not listed",
        "노드 {node}이(가) 속한 모듈 {module!r}이(가) 목록에 없습니다",
    ),
    "storage": (
        "{place} lies in storage {storage}, which is not listed",
        "{place}이(가) 목록에 없는 저장소 {storage}을(를) 가리킵니다",
    ),
    "saved_node": (
        "a tensor saved by node {node} is shared with node {shared}, which does not exist",
        "노드 {node}이(가) 저장한 텐서가 없는 노드 {shared}과(와) 공유됩니다",
    ),
    "check_node": (
        "check {check} is of node {node}, which does not exist",
        "검증 {check}번이 가리키는 노드 {node}번이 없습니다",
    ),
    "finding_node": (
        "finding {finding} speaks of node {node}, which does not exist",
        "{finding}번 진단이 없는 노드 {node}을(를) 가리킵니다",
    ),
    "update_node": ("update {update} changes node {node}, which does not exist", "{update}번 업데이트가 없는 노드 {node}을(를) 바꿉니다"),
    "tensor_node": ("the tensor {tensor} belongs to no output of a node", "텐서 {tensor}에 해당하는 노드 출력이 없습니다"),
    "note_shape": ("{place} has a negative size in its shape", "{place}의 형상에 음수 크기가 있습니다"),
    "note_values": ("the values of {place} do not fit its shape {shape}", "{place}의 값이 형상 {shape}에 맞지 않습니다"),
    "note_counts": (
        "{place} counts more zeros, NaNs and infs than it has elements, or fewer than none",
        "{place}의 0, NaN, inf 개수가 원소 수보다 많거나 음수입니다",
    ),
    "note_empty": ("{place} is empty and has statistics", "{place}은(는) 비어 있는데 통계가 있습니다"),
    "sum": (
        "gradient {output} of node {node} is not the sum of what its edges brought (off by {error:.3g})",
        "노드 {node}의 기울기 {output}이(가) 간선들이 가져온 값의 합과 다릅니다(차이 {error:.3g})",
    ),
    "sum_shape": (
        "gradient {output} of node {node} and what its edges brought have different shapes",
        "노드 {node}의 기울기 {output}과(와) 간선들이 가져온 기울기의 형상이 다릅니다",
    ),
    "sum_source": (
        "node {node} has a gradient at output {output}, but no edge or seed brought one",
        "노드 {node}의 출력 {output}에 기울기가 있지만 그것을 가져온 간선도 시작 기울기도 없습니다",
    ),
}

FILES: dict[str, tuple[str, str]] = {
    f"trace.{key}": (
        f"The trace contradicts itself: {english}. Record it again, or report this file.",
        f"트레이스가 서로 모순됩니다: {korean}. 다시 기록하거나 이 파일을 알려 주세요.",
    )
    for key, (english, korean) in _CONTRADICTIONS.items()
} | {
    "file.missing": (
        "There is no file {path}. Check the name and the folder.",
        "{path} 파일이 없습니다. 이름과 폴더를 확인하세요.",
    ),
    "file.is_folder": (
        "{path} is a folder. Name a .trace or .json file in it.",
        "{path}은(는) 폴더입니다. 그 안의 .trace나 .json 파일을 지정하세요.",
    ),
    "file.unreadable": (
        "{path} cannot be read ({reason}). Check its permissions.",
        "{path}을(를) 읽을 수 없습니다({reason}). 권한을 확인하세요.",
    ),
    "file.not_a_trace": (
        "{path} is not a recorded trace. Give a .trace or .json file that `autograd-explorer trace` wrote.",
        "{path}은(는) 기록된 트레이스가 아닙니다. `autograd-explorer trace`로 만든 .trace나 .json 파일을 지정하세요.",
    ),
    "file.broken_json": (
        "{path} is not whole: its JSON breaks off or goes wrong at line {line}, column {column}. Copy or record it again.",
        "{path}이(가) 온전하지 않습니다. JSON이 {line}번째 줄 {column}번째 글자에서 끊기거나 잘못되었습니다. 다시 복사하거나 기록하세요.",
    ),
    "file.bad_number": (
        "{path} cannot be read as a trace: it holds {number}, which JSON does not allow. Record it again.",
        "{path}을(를) 트레이스로 읽을 수 없습니다. JSON에서 쓸 수 없는 {number}이(가) 들어 있습니다. 다시 기록하세요.",
    ),
    "file.damaged": (
        "{path} is cut off or damaged. Copy or record it again.",
        "{path}이(가) 잘렸거나 손상되었습니다. 다시 복사하거나 기록하세요.",
    ),
    "file.newer": (
        "{path} was written by a newer version (format {format}; this one reads format {known}). Update autograd-explorer.",
        "{path}은(는) 더 새로운 버전이 만들었습니다(형식 {format}, 이 버전이 읽는 형식 {known}). autograd-explorer를 업데이트하세요.",
    ),
    "file.part": (
        (
            "{path} is refused: what begins at line {line} would take more than {limit:,} bytes, as no part of a recorded trace does. "
            "Do not trust this file."
        ),
        (
            "{path}을(를) 열지 않습니다. {line}번째 줄에서 시작하는 부분 하나가 {limit:,}바이트보다 많은 메모리를 차지합니다. "
            "기록된 트레이스에서는 일어나지 않는 일이니 이 파일을 믿지 마세요."
        ),
    ),
    "file.memory": (
        "{path} does not fit into this machine's free memory. Close other programs, or record fewer steps or values.",
        "{path}을(를) 열기에는 남은 메모리가 모자랍니다. 다른 프로그램을 닫거나 더 적은 단계나 값을 기록하세요.",
    ),
    "file.no_file": (
        "{path} is a device or a pipe, not a file. Save it to a file and open that.",
        "{path}은(는) 파일이 아니라 장치나 파이프입니다. 파일로 저장한 뒤 그 파일을 여세요.",
    ),
    "file.nested": (
        "{path} cannot be read as a trace: it nests too deeply. Record it again.",
        "{path}을(를) 트레이스로 읽을 수 없습니다. 너무 깊이 중첩되어 있습니다. 다시 기록하세요.",
    ),
    "file.members": (
        (
            "{path} is not a trace: the archive must hold exactly trace.json and tensors.safetensors. "
            "Give a file that `autograd-explorer trace` wrote."
        ),
        (
            "{path}은(는) 트레이스가 아닙니다. 압축 안에는 trace.json과 tensors.safetensors만 있어야 합니다. "
            "`autograd-explorer trace`로 만든 파일을 지정하세요."
        ),
    ),
    "file.too_large": (
        "{path} is refused: {member} takes {size:,} bytes, more than the limit of {limit:,}. Record fewer passes or values.",
        "{path}을(를) 열지 않습니다. {member}의 크기가 {size:,}바이트로 한도 {limit:,}바이트를 넘습니다. 더 적은 패스나 값을 기록하세요.",
    ),
    "file.ratio": (
        "{path} is refused: {member} unpacks to {ratio} times its size, as no recorded trace does. Do not trust this file.",
        (
            "{path}을(를) 열지 않습니다. {member}의 압축이 {ratio}배로 풀립니다. "
            "기록된 트레이스에서는 일어나지 않는 일이니 이 파일을 믿지 마세요."
        ),
    ),
    "file.field": (
        "{path} cannot be read as a trace: `{place}` is not {expected}. Record it again, or report this file.",
        "{path}을(를) 트레이스로 읽을 수 없습니다. `{place}`이(가) {expected} 형식이 아닙니다. 다시 기록하거나 이 파일을 알려 주세요.",
    ),
    "file.tensors": (
        "{path} cannot be read as a trace: its tensors.safetensors is damaged. Copy or record it again.",
        "{path}을(를) 트레이스로 읽을 수 없습니다. tensors.safetensors가 손상되었습니다. 다시 복사하거나 기록하세요.",
    ),
    "file.write_suffix": (
        "{path} cannot be saved: a trace goes into a .trace or a .json file. Change the suffix.",
        "{path}(으)로 저장할 수 없습니다. 트레이스는 .trace나 .json 파일로 저장합니다. 확장자를 바꾸세요.",
    ),
    "file.write_no_folder": (
        "{path} cannot be written: its folder does not exist. Create the folder or choose another.",
        "{path}을(를) 쓸 수 없습니다. 폴더가 없습니다. 폴더를 만들거나 다른 곳을 고르세요.",
    ),
    "file.write_folder": (
        "{path} cannot be written: it is a folder or a device, not a file. Add a file name.",
        "{path}을(를) 쓸 수 없습니다. 파일이 아니라 폴더나 장치입니다. 파일 이름을 붙이세요.",
    ),
    "file.write_denied": (
        "{path} cannot be written ({reason}). Check the permissions or choose another folder.",
        "{path}을(를) 쓸 수 없습니다({reason}). 권한을 확인하거나 다른 폴더를 고르세요.",
    ),
    "file.write_full": (
        "{path} cannot be written: the disk is full. Free some space; an earlier file there is unchanged.",
        "{path}을(를) 쓸 수 없습니다. 디스크가 가득 찼습니다. 공간을 비우세요. 전에 있던 파일은 그대로입니다.",
    ),
    "file.no_assets": (
        "The installation is incomplete: the folder `assets` is missing. Install autograd-explorer again.",
        "설치가 온전하지 않습니다. `assets` 폴더가 없습니다. autograd-explorer를 다시 설치하세요.",
    ),
    "file.not_a_path": (
        "A {kind} is no path; give the name of a .trace or .json file.",
        "{kind}은(는) 경로가 아닙니다. .trace 또는 .json 파일의 이름을 주세요.",
    ),
    "file.no_trace_given": (
        "A {kind} is no trace; record one with explorer.trace or explorer.record, or read one with explorer.load.",
        "{kind}은(는) 트레이스가 아닙니다. explorer.trace나 explorer.record로 기록하거나 explorer.load로 읽으세요.",
    ),
}
