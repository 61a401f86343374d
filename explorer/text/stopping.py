"""What stopped a program, in plain words, and what to do."""

STOPPING: dict[str, tuple[str, str]] = {
    "finding.user_error.leaf_in_place": (
        "The program stopped: a leaf that requires a gradient was changed in place while autograd keeps a graph. ({error})",
        "프로그램이 멈추었습니다. 기울기가 필요한 잎(leaf) 텐서를 그래프가 기록되는 중에 제자리에서 바꾸었습니다. ({error})",
    ),
    "finding.user_error.leaf_in_place.remedy": (
        "Make a new tensor (w = w + 1); to update a parameter, do it inside torch.no_grad(), as an optimizer does.",
        "새 텐서를 만드세요(w = w + 1). 매개변수를 갱신하려면 최적화기처럼 torch.no_grad() 안에서 하세요.",
    ),
    "finding.user_error.view_in_place": (
        "The program stopped: a view was changed in place in a way that autograd cannot follow. ({error})",
        "프로그램이 멈추었습니다. 뷰(view)를 autograd가 따라갈 수 없는 방식으로 제자리에서 바꾸었습니다. ({error})",
    ),
    "finding.user_error.view_in_place.remedy": (
        "Use the op that makes a new tensor, or clone the view before changing it.",
        "새 텐서를 만드는 연산을 쓰거나, 바꾸기 전에 뷰를 clone하세요.",
    ),
    "finding.user_error.no_graph.constant": (
        "The program stopped: {name} has no graph to run backward over, since nothing it is computed from has requires_grad. ({error})",
        "프로그램이 멈추었습니다. {name}의 계산에 쓰인 텐서 중 requires_grad인 것이 없어 역전파할 그래프가 없습니다. ({error})",
    ),
    "finding.user_error.no_graph.constant.remedy": (
        "Give the tensors that are to be learned requires_grad=True, or compute the loss from a model's parameters.",
        "학습할 텐서에 requires_grad=True를 주거나, 모델의 매개변수로 손실을 계산하세요.",
    ),
    "finding.user_error.no_graph.detach": (
        "The program stopped: what backward started from has no graph, because {name} was detached from it. ({error})",
        "프로그램이 멈추었습니다. {name}에서 그래프가 분리(detach)되어 역전파를 시작할 그래프가 없습니다. ({error})",
    ),
    "finding.user_error.no_graph.detach.remedy": (
        "Leave out .detach() or .data on the way to the loss.",
        "손실에 이르는 경로에서 .detach()나 .data를 빼세요.",
    ),
    "finding.user_error.no_graph.no_grad": (
        "The program stopped: what backward started from has no graph, because {name} was computed under no_grad. ({error})",
        "프로그램이 멈추었습니다. {name}이(가) no_grad 안에서 계산되어 역전파를 시작할 그래프가 없습니다. ({error})",
    ),
    "finding.user_error.no_graph.no_grad.remedy": (
        "Compute the loss outside torch.no_grad(); look for a decorator or a set_grad_enabled(False) as well.",
        "손실을 torch.no_grad() 밖에서 계산하세요. 데코레이터나 set_grad_enabled(False)도 확인하세요.",
    ),
    "finding.user_error.no_graph.inference_mode": (
        "The program stopped: what backward started from has no graph, because {name} was computed under inference_mode. ({error})",
        "프로그램이 멈추었습니다. {name}이(가) inference_mode 안에서 계산되어 역전파를 시작할 그래프가 없습니다. ({error})",
    ),
    "finding.user_error.no_graph.inference_mode.remedy": (
        "Compute the loss outside torch.inference_mode().",
        "손실을 torch.inference_mode() 밖에서 계산하세요.",
    ),
    "finding.user_error.no_graph.integer": (
        "The program stopped: what backward started from has no graph, because {name} gives integers or truth values. ({error})",
        "프로그램이 멈추었습니다. {name}의 결과가 정수나 참·거짓이라 기울기가 없고, 역전파를 시작할 그래프가 없습니다. ({error})",
    ),
    "finding.user_error.no_graph.integer.remedy": (
        "Take a loss that changes smoothly with the output, such as cross entropy; accuracy and argmax have no derivative.",
        "교차 엔트로피처럼 출력에 따라 매끄럽게 변하는 손실을 쓰세요. 정확도와 argmax에는 도함수가 없습니다.",
    ),
    "finding.user_error.no_graph.item": (
        "The program stopped: what backward started from has no graph, because {name} is a plain number. ({error})",
        "프로그램이 멈추었습니다. {name}이(가) 일반 숫자라서 역전파를 시작할 그래프가 없습니다. ({error})",
    ),
    "finding.user_error.no_graph.item.remedy": (
        "Compute with the tensor itself; item() and float() are for printing and logging.",
        "텐서를 그대로 계산에 쓰세요. item()과 float()는 출력과 기록에만 쓰세요.",
    ),
    "finding.user_error.not_scalar": (
        "The program stopped: backward() was called on a tensor of several elements, and it starts from one number. ({error})",
        "프로그램이 멈추었습니다. 원소가 여럿인 텐서에서 backward()를 호출했는데, 역전파는 숫자 하나(one number)에서 시작합니다. ({error})",
    ),
    "finding.user_error.not_scalar.remedy": (
        "Reduce the loss first, with mean() or sum(), or pass a gradient of the same shape to backward().",
        "먼저 mean()이나 sum()으로 손실을 줄이거나, 같은 모양의 기울기를 backward()에 넘기세요.",
    ),
    "finding.user_error.numpy": (
        "The program stopped: numpy() was called on a tensor that is part of a graph, which numpy would not keep. ({error})",
        "프로그램이 멈추었습니다. 그래프에 속한 텐서에 numpy()를 호출했습니다. numpy는 그래프를 유지하지 못합니다. ({error})",
    ),
    "finding.user_error.numpy.remedy": (
        "For printing or plotting call detach().numpy(); inside the computation use torch ops.",
        "출력이나 그림에는 detach().numpy()를 쓰고, 계산 안에서는 torch 연산을 쓰세요.",
    ),
    "finding.user_error.no_grad_yet": (
        "The program stopped: .grad is None here, since the tensor is no leaf, requires no gradient, or was not reached. ({error})",
        "프로그램이 멈추었습니다. 여기서 .grad is None입니다. 잎 텐서가 아니거나 역전파가 닿지 않았습니다. ({error})",
    ),
    "finding.user_error.no_grad_yet.remedy": (
        "Make it a leaf: set requires_grad_() after the last op that makes it; for a result in between call retain_grad().",
        "텐서를 만드는 마지막 연산 뒤에 requires_grad_()를 호출해 잎으로 만드세요. 중간 결과라면 retain_grad()를 호출하세요.",
    ),
    "finding.user_error.unused": (
        "The program stopped: a gradient was asked for with respect to a tensor that was not used for this output. ({error})",
        "프로그램이 멈추었습니다. 이 출력의 계산에 쓰이지 않은(was not used) 텐서에 대한 기울기를 요청했습니다. ({error})",
    ),
    "finding.user_error.unused.remedy": (
        "Look where the tensor was replaced or cut off on the way; pass allow_unused=True if None is a good answer.",
        "그 텐서가 도중에 다른 텐서로 바뀌었거나 끊긴 곳을 찾으세요. None이어도 된다면 allow_unused=True를 넘기세요.",
    ),
    "finding.user_error.integer_leaf": (
        "The program stopped: requires_grad was asked for on integers, and only floating point numbers have a gradient. ({error})",
        "프로그램이 멈추었습니다. 정수 텐서에 requires_grad를 요청했습니다. 기울기는 부동소수점 수에만 있습니다. ({error})",
    ),
    "finding.user_error.integer_leaf.remedy": (
        "Make it a float: torch.tensor([1., 2.]) or .float().",
        "torch.tensor([1., 2.])나 .float()로 부동소수점으로 만드세요.",
    ),
    "finding.user_error.inference": (
        "The program stopped: a tensor made under inference_mode was used in a computation that autograd records. ({error})",
        "프로그램이 멈추었습니다. inference_mode에서 만든 텐서를 autograd가 기록하는 계산에 썼습니다. ({error})",
    ),
    "finding.user_error.inference.remedy": (
        "Use torch.no_grad() in place of inference_mode there, or clone the tensor outside of it.",
        "그곳에서 inference_mode 대신 torch.no_grad()를 쓰거나, 그 밖에서 텐서를 clone하세요.",
    ),
    "finding.user_error.memory": (
        "The program stopped: memory ran out. ({error})",
        "프로그램이 멈추었습니다. 메모리가 부족합니다. ({error})",
    ),
    "finding.user_error.memory.remedy": (
        "Take a smaller batch, or record the shapes alone with --device fake.",
        "더 작은 배치를 쓰거나, --device fake로 모양만 기록하세요.",
    ),
    "finding.user_error.device": (
        "The program stopped: tensors on different devices met in one op. ({error})",
        "프로그램이 멈추었습니다. 서로 다른 장치에 있는 텐서가 한 연산에서 만났습니다. ({error})",
    ),
    "finding.user_error.device.remedy": (
        "Move model and data to the same device with .to(device).",
        ".to(device)로 모델과 데이터를 같은 장치로 옮기세요.",
    ),
    "finding.user_error.dtype": (
        "The program stopped: tensors of different data types met in one op, or the op does not take this type. ({error})",
        "프로그램이 멈추었습니다. 서로 다른 자료형의 텐서가 한 연산에서 만났거나, 연산이 이 자료형을 지원하지 않습니다. ({error})",
    ),
    "finding.user_error.dtype.remedy": (
        "Bring them to one type, with .float(), .long() or .to(dtype); numpy's numbers are float64, class labels are int64.",
        ".float(), .long(), .to(dtype)으로 자료형을 맞추세요. numpy의 수는 float64이고 클래스 레이블은 int64입니다.",
    ),
    "finding.user_error.shape": (
        "The program stopped: the shapes do not fit; the op was given the shapes {shapes}. ({error})",
        "프로그램이 멈추었습니다. 모양(shape)이 맞지 않습니다. 연산에 주어진 모양: {shapes}. ({error})",
    ),
    "finding.user_error.shape.remedy": (
        "Look which of the two should be another: the sizes of neighbouring layers, or a missing transpose, reshape or batch dimension.",
        "이웃한 층의 크기나 빠진 transpose, reshape, 배치 차원을 확인하세요.",
    ),
    "finding.user_error.index": (
        "The program stopped: an index lies outside of what it points into. ({error})",
        "프로그램이 멈추었습니다. 색인이 범위를 벗어났습니다. ({error})",
    ),
    "finding.user_error.index.remedy": (
        "Compare the largest index with the size: the number of classes, or of entries of an embedding.",
        "가장 큰 색인을 클래스 수나 임베딩 항목 수와 비교하세요.",
    ),
    "finding.freed_graph": (
        "Backward ran a second time over {name}: the first backward had let go of what its graph had saved.",
        "{name}을(를) 지나는 역전파가 두 번째로 실행되었습니다. 첫 역전파가 그래프에 저장된 값을 이미 놓아주었습니다.",
    ),
    "finding.freed_graph.remedy": (
        (
            "Add the losses and call backward() once, or pass retain_graph=True to the first; where a value is carried over from an "
            "earlier step (a hidden state), detach it first."
        ),
        (
            "손실을 더해 backward()를 한 번만 호출하거나, 첫 번째에 retain_graph=True를 넘기세요. "
            "이전 단계에서 넘어온 값(은닉 상태)이라면 먼저 detach하세요."
        ),
    ),
    "finding.freed_graph.somewhere": (
        "Backward ran a second time over a graph whose saved values the first backward had let go.",
        "첫 역전파가 저장된 값을 이미 놓아준 그래프에서 역전파가 두 번째로 실행되었습니다.",
    ),
    "finding.freed_graph.once.remedy": (
        "Add the losses and call backward() once, or pass retain_graph=True to the first.",
        "손실을 더해 backward()를 한 번만 호출하거나, 첫 번째에 retain_graph=True를 넘기세요.",
    ),
}
