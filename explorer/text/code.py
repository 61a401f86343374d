"""Running code that the reader brings: the editor, the field for a file, and where neither may be used."""

CODE: dict[str, tuple[str, str]] = {
    "code.program": ("Program", "프로그램"),
    "code.kind_example": ("Example", "예제"),
    "code.kind_code": ("Paste code", "코드 입력"),
    "code.kind_file": ("File", "파일"),
    "code.refused_label": ("Not available here", "여기에서 사용할 수 없음"),
    "code.refused_open": (
        (
            "Paste code and File are off because this server can be reached from other machines; its owner can allow them with "
            "AUTOGRAD_EXPLORER_ALLOW_CODE=1."
        ),
        (
            "다른 컴퓨터에서도 이 서버에 접속할 수 있어 코드 입력과 파일은 꺼져 있으며, 서버 관리자가 "
            "AUTOGRAD_EXPLORER_ALLOW_CODE=1로 허용할 수 있습니다."
        ),
    ),
    "code.refused_foreign": (
        (
            "Paste code and File are off because this page was not opened from the server's own machine; its owner can allow them with "
            "AUTOGRAD_EXPLORER_ALLOW_CODE=1."
        ),
        (
            "서버가 있는 컴퓨터에서 연 페이지가 아니어서 코드 입력과 파일은 꺼져 있으며, 서버 관리자가 "
            "AUTOGRAD_EXPLORER_ALLOW_CODE=1로 허용할 수 있습니다."
        ),
    ),
    "code.title": ("Code", "코드"),
    "code.label": ("Python code", "Python 코드"),
    "code.keys": (
        "Ctrl+Enter runs the code. Tab indents; press Esc and then Tab to leave the editor.",
        "Ctrl+Enter로 실행합니다. Tab은 들여쓰기이며, 편집기에서 나가려면 Esc를 누른 다음 Tab을 누르세요.",
    ),
    "code.code_about": (
        "Write a program that calls backward() itself. It runs on this machine as you, in a process of its own that Cancel ends.",
        "backward()를 직접 부르는 프로그램을 쓰세요. 이 컴퓨터에서 사용자 권한으로, 취소하면 끝나는 별도의 프로세스에서 실행됩니다.",
    ),
    "code.file": ("file.py:function", "파일.py:함수"),
    "code.file_help": (
        (
            "A function that takes no argument and returns a loss: path/file.py:function or package.module:function. Without a function "
            "the file runs as a script, with its own backward()."
        ),
        (
            "인자 없이 호출되어 손실을 돌려주는 함수입니다. 경로/파일.py:함수 또는 패키지.모듈:함수로 쓰세요. 함수를 빼면 파일을 "
            "스크립트로 실행하며, backward()는 파일이 직접 불러야 합니다."
        ),
    ),
    "code.file_about": (
        "Paths start from {folder}. The file runs on this machine as you, in a process of its own that Cancel ends.",
        "경로의 기준: {folder}. 이 컴퓨터에서 사용자 권한으로, 취소하면 끝나는 별도의 프로세스에서 실행됩니다.",
    ),
    "code.no_file_named": (
        "No file is named yet; write one with its function, such as train.py:loss.",
        "아직 파일을 적지 않았습니다. train.py:loss처럼 파일과 함수를 적어 주세요.",
    ),
    "code.empty": ("There is no code to run yet; write some into the editor.", "아직 실행할 코드가 없습니다. 편집기에 코드를 적어 주세요."),
    "code.too_long": (
        "The code has more than {most:,} characters; save it as a file and name that.",
        "코드가 {most:,}자를 넘습니다. 파일로 저장한 뒤 그 파일을 지정하세요.",
    ),
    "code.printed": ("What the program printed", "프로그램의 출력"),
}
