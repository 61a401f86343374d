"""Titles, descriptions and topics of the example programs."""

PROGRAMS: dict[str, tuple[str, str]] = {
    "programs.topic.tensors": ("Tensors", "텐서"),
    "programs.topic.chain rule": ("The chain rule", "연쇄 법칙"),
    "programs.topic.backpropagation": ("Backpropagation", "역전파"),
    "programs.topic.networks": ("Networks", "신경망"),
    "programs.topic.language models": ("Language models", "언어 모델"),
    "programs.topic.faults": ("Faults to find", "결함 찾기"),
    "programs.tensor_basics": ("Tensors: rank, type and shape", "텐서: 랭크, 자료형, 형상"),
    "programs.tensor_basics.about": (
        "Makes tensors of rank 0 to 3, changes type and shape, multiplies a matrix by its transpose, and asks for a first gradient.",
        "랭크 0부터 3까지의 텐서를 만들고 자료형과 형상을 바꾼 뒤, 행렬을 전치와 곱하고 첫 기울기를 구합니다.",
    ),
    "programs.tutorial_mean": ("A mean of squares", "제곱의 평균"),
    "programs.tutorial_mean.about": (
        "PyTorch's tutorial: the mean of 3 (x + 2)² is 27, and each element of x has the gradient 4.5.",
        "PyTorch 튜토리얼의 예제입니다. 3 (x + 2)²의 평균은 27이고, x의 각 원소의 기울기는 4.5입니다.",
    ),
    "programs.d2l_dot": ("A vector and its dot product", "벡터와 내적"),
    "programs.d2l_dot.about": (
        "From “Dive into Deep Learning”: the gradient of 2 x·x is 4 x.",
        "“Dive into Deep Learning”의 예제입니다. 2 x·x의 기울기는 4 x입니다.",
    ),
    "programs.chain_rule": ("A function of a function", "함수의 함수"),
    "programs.chain_rule.about": (
        "u = 3x + 1 and y = u²: two local slopes, and their product is the gradient.",
        "u = 3x + 1, y = u²입니다. 국소 기울기 두 개를 곱하면 x의 기울기가 됩니다.",
    ),
    "programs.karpathy_expression": ("Four numbers and one step", "네 개의 수와 한 걸음"),
    "programs.karpathy_expression.about": (
        "Karpathy's first expression, L = (a b + c) f, and a small step along the gradient that makes L grow.",
        "카파시 강의의 첫 번째 식 L = (a b + c) f입니다. 기울기 방향으로 조금 움직이면 L이 커집니다.",
    ),
    "programs.cs231n_product": ("A sum times a number", "합과 곱"),
    "programs.cs231n_product.about": (
        "The first circuit of the CS231n notes, f = (x + y) z: the chain rule in two steps.",
        "CS231n 강의 노트의 첫 번째 회로 f = (x + y) z입니다. 두 단계의 연쇄 법칙을 봅니다.",
    ),
    "programs.cs231n_sigmoid": ("A sigmoid, gate by gate", "게이트로 나눈 시그모이드"),
    "programs.cs231n_sigmoid.about": (
        "The sigmoid neuron of the CS231n notes, taken apart into additions, products, an exponential and a division.",
        "CS231n 강의 노트의 시그모이드 뉴런을 덧셈, 곱셈, 지수, 나눗셈으로 나누어 봅니다.",
    ),
    "programs.cs231n_max": ("Add, multiply and max gates", "덧셈, 곱셈, 최댓값 게이트"),
    "programs.cs231n_max.about": (
        "What three kinds of gates do to a gradient: add hands it on, multiply swaps the inputs in, max picks one way.",
        "세 가지 게이트가 기울기를 다루는 방식입니다. 덧셈은 그대로 넘기고, 곱셈은 상대편 입력을 곱하고, 최댓값은 한쪽으로만 보냅니다.",
    ),
    "programs.tutorial_vector": ("A result that is a vector", "결과가 벡터일 때"),
    "programs.tutorial_vector.about": (
        "PyTorch's tutorial: for Q = 3a³ − b², backward has to be told the gradient of Q itself.",
        "PyTorch 튜토리얼의 예제입니다. Q = 3a³ − b²의 역전파에는 Q 자신의 기울기를 알려 주어야 합니다.",
    ),
    "programs.micrograd_readme": ("The expression of micrograd's README", "micrograd README의 식"),
    "programs.micrograd_readme.about": (
        "A longer chain in which values are used again and again; two inputs, one result.",
        "값을 거듭 다시 쓰는 긴 계산입니다. 입력은 둘이고 결과는 하나입니다.",
    ),
    "programs.logistic_neuron": ("A logistic neuron", "로지스틱 뉴런"),
    "programs.logistic_neuron.about": (
        "One weight, one bias, a sigmoid and the cross-entropy: the smallest thing that can learn to answer yes or no.",
        "가중치 하나, 편향 하나, 시그모이드와 교차 엔트로피입니다. 예와 아니요를 배울 수 있는 가장 작은 모델입니다.",
    ),
    "programs.karpathy_neuron": ("Karpathy's neuron", "카파시의 뉴런"),
    "programs.karpathy_neuron.about": (
        "Two inputs, two weights, a bias and tanh, with numbers chosen so that the gradients come out round.",
        "입력 둘, 가중치 둘, 편향 하나와 tanh입니다. 기울기가 깔끔한 수로 나오도록 값을 골랐습니다.",
    ),
    "programs.a_plus_a": ("One value used twice", "두 번 쓰인 값"),
    "programs.a_plus_a.about": (
        "In b = a + a, each use of a sends back 1, and a has their sum.",
        "b = a + a에서 a는 쓰일 때마다 기울기 1을 돌려받고, 그 합이 a의 기울기가 됩니다.",
    ),
    "programs.accumulation": ("Gradients that add up", "더해지는 기울기"),
    "programs.accumulation.about": (
        "Two values on two paths each: what comes back along both paths is summed.",
        "두 값이 각각 두 경로에 쓰입니다. 두 경로로 돌아온 기울기를 더합니다.",
    ),
    "programs.repeated_backward": ("Backward, three times", "세 번의 역전파"),
    "programs.repeated_backward.about": (
        "`.grad` grows with every backward pass until it is set to zero.",
        "`.grad`는 0으로 되돌릴 때까지 역전파를 할 때마다 더해집니다.",
    ),
    "programs.d2l_detach": ("Taken out of the graph", "그래프에서 떼어 내기"),
    "programs.d2l_detach.about": (
        "After `detach()` a value counts as a constant, on purpose here: no gradient goes through it.",
        "`detach()`로 떼어 낸 값은 상수로 취급됩니다. 여기서는 의도한 것이며, 그 값을 지나는 기울기는 없습니다.",
    ),
    "programs.linear_regression": ("A line through points", "점들을 지나는 직선"),
    "programs.linear_regression.about": (
        "Twenty training steps that fit a weight and a bias: forward pass, backward pass, update.",
        "가중치와 편향을 맞추는 스무 번의 학습 단계입니다. 순전파, 역전파, 갱신을 되풀이합니다.",
    ),
    "programs.hidden_layer": ("One hidden layer, by hand", "손으로 계산하는 은닉층"),
    "programs.hidden_layer.about": (
        "Two inputs, three hidden units, one output, with weights so round that every gradient can be worked out in the head.",
        "입력 둘, 은닉 유닛 셋, 출력 하나입니다. 모든 기울기를 암산할 수 있도록 가중치를 골랐습니다.",
    ),
    "programs.simple_net": ("A small network and one training step", "작은 신경망과 한 번의 학습 단계"),
    "programs.simple_net.about": (
        "Two linear layers with relu and sigmoid, binary cross-entropy, and one step of gradient descent.",
        "relu와 시그모이드가 있는 선형 층 두 개, 이진 교차 엔트로피, 그리고 경사 하강법 한 단계입니다.",
    ),
    "programs.cnn": ("A convolutional network", "합성곱 신경망"),
    "programs.cnn.about": (
        "Two convolutions with pooling read two small pictures, and a linear layer scores ten classes.",
        "합성곱과 풀링 두 번으로 작은 그림 두 장을 읽고, 선형 층이 열 개 분류의 점수를 냅니다.",
    ),
    "programs.lstm": ("An LSTM over a sequence", "시퀀스를 읽는 LSTM"),
    "programs.lstm.about": (
        "Five steps through the same cell: backpropagation through time, with every step adding to the same gradients.",
        "같은 셀을 다섯 번 지나는 시간 역전파입니다. 모든 단계의 기울기가 같은 가중치에 더해집니다.",
    ),
    "programs.shared_weights": ("One weight in two places", "두 곳에 쓰인 한 가중치"),
    "programs.shared_weights.about": (
        "Input table and output layer are the same tensor: two names, two contributions, one gradient.",
        "입력 임베딩과 출력 층이 같은 텐서입니다. 이름은 둘, 기여도 둘, 기울기는 하나입니다.",
    ),
    "programs.dropout": ("Dropout on: training", "드롭아웃 켬: 학습할 때"),
    "programs.dropout.about": (
        "While training, dropout zeroes about half of the activations and doubles the rest; where one is off, no gradient comes back.",
        "학습할 때 드롭아웃은 활성값의 절반가량을 0으로 만들고 나머지를 두 배로 키웁니다. 꺼진 자리로는 기울기가 돌아오지 않습니다.",
    ),
    "programs.dropout_off": ("Dropout off: evaluation", "드롭아웃 끔: 평가할 때"),
    "programs.dropout_off.about": (
        "The same weights and data in evaluation mode: dropout lets everything through unchanged.",
        "같은 가중치와 데이터를 평가 모드에서 계산합니다. 드롭아웃은 아무것도 바꾸지 않고 그대로 내보냅니다.",
    ),
    "programs.causal_attention": ("One causal attention head", "인과적 어텐션 헤드 하나"),
    "programs.causal_attention.about": (
        "Queries, keys and values of six tokens; each token attends to itself and to those before it.",
        "여섯 토큰의 쿼리, 키, 값입니다. 각 토큰은 자신과 앞선 토큰에만 주목합니다.",
    ),
    "programs.attention_heads": ("Two attention heads on a word", "단어 하나를 읽는 어텐션 헤드 두 개"),
    "programs.attention_heads.about": (
        "Weights set by hand, so that one head looks for the letter before and the other for equal letters.",
        "가중치를 손으로 정해, 한 헤드는 바로 앞 글자를 찾고 다른 헤드는 같은 글자를 찾습니다.",
    ),
    "programs.gpt2": ("GPT-2, 124 million parameters", "GPT-2, 매개변수 1억 2,400만 개"),
    "programs.gpt2.about": (
        "Twelve transformer blocks read 64 random tokens with random weights and predict each next one.",
        "트랜스포머 블록 열두 개가 무작위 가중치로 무작위 토큰 64개를 읽고 다음 토큰을 예측합니다.",
    ),
    "programs.gpt2_xl": ("GPT-2 XL, 1.56 billion parameters", "GPT-2 XL, 매개변수 15억 6,000만 개"),
    "programs.gpt2_xl.about": (
        "Forty-eight blocks over 1,024 tokens, with fake tensors: every shape is right, and no number is computed.",
        "블록 48개가 토큰 1,024개를 읽습니다. 가짜 텐서를 쓰므로 형상은 모두 맞지만 값은 계산하지 않습니다.",
    ),
    "programs.llama_70b": ("The shape of Llama 3 70B, 70.6 billion parameters", "Llama 3 70B와 같은 형상, 매개변수 706억 개"),
    "programs.llama_70b.about": (
        "Eighty blocks with rotary positions and grouped-query attention over 1,024 tokens, with fake tensors: no weight is allocated.",
        "회전 위치 인코딩과 그룹 쿼리 어텐션을 쓰는 블록 80개가 토큰 1,024개를 읽습니다. 가짜 텐서라 가중치 메모리를 쓰지 않습니다.",
    ),
    "programs.vanishing_sigmoids": ("Vanishing gradient: too many sigmoids", "기울기 소실: 너무 많은 시그모이드"),
    "programs.vanishing_sigmoids.about": (
        "Twelve sigmoid layers; next to nothing of the gradient reaches the first one.",
        "시그모이드 층이 열두 개여서 첫 번째 층에는 기울기가 거의 닿지 않습니다.",
    ),
    "programs.exploding_layers": ("Exploding gradient: weights too large", "기울기 폭발: 너무 큰 가중치"),
    "programs.exploding_layers.about": (
        "Twelve layers whose weights begin much too large; the gradient grows several times at each of them.",
        "시작 가중치가 지나치게 큰 층이 열두 개여서, 층을 하나 지날 때마다 기울기가 몇 배씩 커집니다.",
    ),
    "programs.dead_relus": ("Dead ReLUs", "죽은 ReLU"),
    "programs.dead_relus.about": (
        "Biases far below zero: the layer gives 0 for every sample, and its weights have the gradient 0.",
        "편향이 0보다 훨씬 작아 모든 표본에서 층의 출력이 0이고, 가중치의 기울기도 0입니다.",
    ),
    "programs.nan_where": ("NaN gradient from a branch not taken", "고르지 않은 쪽에서 온 NaN 기울기"),
    "programs.nan_where.about": (
        "`where` never chooses the root of 0, but its infinite derivative times zero makes the gradient NaN.",
        "`where`는 0의 제곱근을 고르지 않지만, 무한대인 그 도함수에 0을 곱해 기울기가 NaN이 됩니다.",
    ),
    "programs.detached_branch": ("A branch cut off by detach", "detach로 끊긴 가지"),
    "programs.detached_branch.about": (
        "A `detach()` left in one of two branches: the weight before it has no gradient and never learns.",
        "두 가지 중 하나에 `detach()`가 남아 있어 그 앞의 가중치는 기울기가 없고 학습되지 않습니다.",
    ),
    "programs.forgotten_zero_grad": ("A forgotten zero_grad", "빠뜨린 zero_grad"),
    "programs.forgotten_zero_grad.about": (
        "Three training steps that never clear the gradients: old ones are added to new ones, and the steps grow.",
        "기울기를 지우지 않는 세 번의 학습 단계입니다. 이전 기울기가 더해져 걸음이 점점 커집니다.",
    ),
}
